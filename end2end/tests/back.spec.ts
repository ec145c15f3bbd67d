import { expect, test } from '../support/test';
import { issueKey, shownKey } from '../support/forms';
import config from '../playwright.config';

// Browsers keep whole pages for going back, also those that are not to be stored. Playwright switches that off.
test.use({ launchOptions: { ...config.use!.launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] } });

test('going back does not show a key again', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('api-keys/new'));
  await issueKey(page, { name: 'CI deploy', scopes: ['workspace.read'] });
  const key = await shownKey(page);
  await page.getByRole('link', { name: 'I have stored it' }).click();
  await expect(page.getByRole('button', { name: 'Revoke key' })).toBeVisible();
  await page.goBack();
  await expect(page.getByText('cannot be shown again')).toBeVisible();
  expect(await page.content()).not.toContain(key);
});

test('going back after signing out shows nothing private', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('audit-log'));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in');
  expect(await page.content()).not.toContain(workspace.email);
});

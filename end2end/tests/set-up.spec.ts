import { expect, test } from '../support/test';
import { summary } from '../support/forms';
import { PASSWORD } from '../support/workspace';

test.use({ baseURL: async ({ freshServer }, use) => use(freshServer.url) });

test('the link sets the console up, once', async ({ page, freshServer, newVisitor }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Not set up yet');

  await page.goto(freshServer.setupLink);
  await expect(page, 'the token stays in no history').toHaveURL(`${freshServer.url}/setup`);
  const competitor = await newVisitor();
  await competitor.goto(freshServer.setupLink);

  await test.step('what is wrong is said, what was typed stays, but for the password', async () => {
    await page.getByLabel('Workspace').fill('Acme');
    await page.getByLabel('Your name').fill('   ');
    await page.getByLabel('Mail address').fill('ana@example');
    await page.getByLabel('Password').fill('too short');
    await page.getByRole('button', { name: 'Create workspace' }).click();

    await expect(summary(page)).toContainText('3 fields need another look.');
    await expect(summary(page)).toBeFocused();
    await expect(summary(page).getByRole('link')).toHaveCount(3);
    await expect(page.getByLabel('Workspace')).toHaveValue('Acme');
    await expect(page.getByLabel('Mail address')).toHaveValue('ana@example');
    await expect(page.getByLabel('Mail address')).toHaveAccessibleDescription(/A mail address such as/);
    await expect(page.getByLabel('Password')).toHaveValue('');
    await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel('Password')).toHaveAccessibleDescription(/At least 15 characters; this has 9/);
    await summary(page).getByRole('link', { name: /At least 15/ }).click();
    await expect(page.getByLabel('Password')).toBeFocused();
  });

  await test.step('what was wrong is said once', async () => {
    await page.reload();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Set up send0');
    await expect(summary(page)).toHaveCount(0);
  });

  const fill = async (visitor: typeof page, email: string) => {
    await visitor.getByLabel('Workspace').fill('Acme');
    await visitor.getByLabel('Your name').fill('Ana');
    await visitor.getByLabel('Mail address').fill(email);
    await visitor.getByLabel('Password').fill(PASSWORD);
    await visitor.getByRole('button', { name: 'Create workspace' }).click();
  };

  await test.step('then it leads to the overview', async () => {
    await fill(page, 'ana@example.com');
    await expect(page).toHaveURL(`${freshServer.url}/w/acme`);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Acme');
    await expect(page.getByText('You are an owner here.')).toBeVisible();
    await expect(page.getByRole('row', { name: 'created workspace Acme' })).toBeVisible();
  });

  await test.step('whoever had the form open comes too late', async () => {
    await fill(competitor, 'eve@example.com');
    await expect(competitor).toHaveURL(`${freshServer.url}/sign-in`);
    await expect(competitor.getByRole('button', { name: 'Create workspace' })).toHaveCount(0);
  });

  await test.step('and the link opens nothing any more', async () => {
    const late = await newVisitor();
    await late.goto(freshServer.setupLink);
    await expect(late.getByRole('heading', { level: 1 })).toHaveText('Sign in');
    await expect(late.getByRole('button', { name: 'Create workspace' })).toHaveCount(0);
  });
});

test('a wrong link sets nothing up', async ({ page }) => {
  await page.goto(`/setup/${'0'.repeat(64)}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Not set up yet');
  await page.goto('/sign-in');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Not set up yet');
  await expect(page.locator('form')).toHaveCount(0);
});

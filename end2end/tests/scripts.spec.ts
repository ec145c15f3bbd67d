import { expect, test } from '../support/test';
import { hydrated, issueKey, shownKey } from '../support/forms';

test('the copy buttons copy', async ({ owner: page, workspace, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(workspace.path('api-keys/new'));
  await issueKey(page, { name: 'CI deploy', scopes: ['workspace.read'] });
  const key = await shownKey(page);
  await hydrated(page);
  for (const [button, copied] of [
    ['Copy key', key],
    ['Copy command', await page.locator('.code pre').innerText()],
  ]) {
    await page.getByRole('button', { name: button }).click();
    const island = page.locator('.copy').filter({ has: page.getByRole('button', { name: button }) });
    await expect(island.getByRole('status')).toHaveText('Copied');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(copied);
  }
});

test('what cannot be copied is said', async ({ owner: page, workspace }) => {
  await page.addInitScript(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException('not allowed', 'NotAllowedError'));
  });
  await page.goto(workspace.path('api-keys/new'));
  await issueKey(page, { name: 'CI deploy', scopes: ['workspace.read'] });
  await hydrated(page);
  await page.getByRole('button', { name: 'Copy key' }).click();
  await expect(page.getByText('Not copied: select the text and copy it')).toBeVisible();
});

test.describe('in Kolkata', () => {
  test.use({ timezoneId: 'Asia/Kolkata' });

  test('times are told in the zone of the reader', async ({ owner: page, workspace }) => {
    await page.goto(workspace.path('audit-log'));
    await hydrated(page);
    for (const time of await page.locator('time').all()) {
      await expect(time).toHaveAttribute('title', /^\d+ \w+ \d{4},? \d\d:\d\d:\d\d (IST|GMT\+5:30)$/);
    }
    await page.getByRole('table').getByRole('link').first().click();
    await hydrated(page);
    const exact = page.locator('time:not([title])');
    await expect(exact).toHaveText(/\d\d:\d\d:\d\d (IST|GMT\+5:30)$/);
    const instant = new Date((await exact.getAttribute('datetime'))!);
    const there = instant.toLocaleTimeString('en-GB', { timeZone: 'Asia/Kolkata' });
    await expect(exact).toContainText(there);
  });
});

test('a page without an island carries no script', async ({ owner: page, workspace, newVisitor }) => {
  const stranger = await newVisitor();
  await stranger.goto('/sign-in');
  await expect(stranger.locator('script, link[rel=modulepreload]')).toHaveCount(0);
  for (const rest of ['', 'api-keys', 'api-keys/new', 'nothing']) {
    await page.goto(workspace.path(rest));
    await expect(page.locator('script, link[rel=modulepreload], leptos-island'), rest).toHaveCount(0);
  }
  await page.goto(workspace.path('audit-log'));
  await expect(page.locator('script')).toHaveCount(1);
});

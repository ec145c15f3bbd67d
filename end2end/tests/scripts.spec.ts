import { brotliCompressSync } from 'node:zlib';
import type { Page, Response } from '@playwright/test';
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

const KB = 1000;

test('a page without an island carries no script', async ({ workspace, newVisitor }) => {
  const stranger = await newVisitor();
  const invitation = await workspace.invitationLink('bo@example.com', 'viewer');
  for (const path of ['/security', '/subprocessors', '/compliance', '/changelog', '/subprocessors/subscribe', '/compliance/ask', '/compliance/requests', '/documents', '/nothing', '/sign-in/forgot', '/sign-in/reset', '/invitations', '/contacts', '/account/address', invitation]) {
    await stranger.goto(path);
    await expect(stranger.locator('script, link[rel=modulepreload], leptos-island'), path).toHaveCount(0);
  }
  await stranger.goto('/sign-in');
  const passkeys = stranger.locator('script');
  await expect(passkeys).toHaveCount(1);
  expect((await passkeys.textContent())!.length, 'the module for passkeys').toBeLessThanOrEqual(5 * KB);
  await workspace.signIn(stranger);
  await expect(stranger.locator('script')).toHaveCount(1);
});

/** What comes over the wire, squeezed as well as brotli can. */
async function weight(page: Page, path: string): Promise<{ page: number; islands: number }> {
  const weighed = { page: 0, islands: 0 };
  const seen: Promise<void>[] = [];
  const weigh = (answer: Response) => {
    const island = /\.(js|wasm)$/.test(new URL(answer.url()).pathname);
    const add = async () => {
      weighed[island ? 'islands' : 'page'] += brotliCompressSync(await answer.body()).length;
    };
    if (answer.status() === 200) seen.push(add());
  };
  page.on('response', weigh);
  await page.goto(path, { waitUntil: 'networkidle' });
  page.off('response', weigh);
  await Promise.all(seen);
  return weighed;
}

test('pages are light', async ({ workspace, newVisitor }) => {
  // Fifteen pages, each in a browser session of its own.
  test.setTimeout(150_000);
  const nobody = await newVisitor();
  const signIn = await weight(nobody, '/sign-in');
  expect(signIn).toEqual({ page: expect.any(Number), islands: 0 });
  expect(signIn.page, 'sign-in in all').toBeLessThanOrEqual(20 * KB);
  for (const path of ['/security', '/compliance', '/subprocessors', '/changelog']) {
    const light = await weight(await newVisitor(), path);
    expect(light.islands, path).toBe(0);
    expect(light.page, path).toBeLessThanOrEqual(20 * KB);
    console.log(`weight of ${path}: page ${light.page} B (brotli)`);
  }
  await workspace.signIn(nobody);
  for (const rest of ['', 'members', 'members/invite', 'roles', 'settings', 'api-keys', 'api-keys/new', 'audit-log', 'audit-log/exports', 'streams', 'retention', 'notices', 'compliance']) {
    const fresh = await newVisitor();
    await fresh.context().addCookies(await nobody.context().cookies());
    const { page, islands } = await weight(fresh, workspace.path(rest));
    expect.soft(islands, `${rest}: islands with their loader`).toBeLessThanOrEqual(110 * KB);
    expect.soft(page, `${rest}: beside the islands`).toBeLessThanOrEqual(20 * KB);
    console.log(`weight of /${rest}: page ${page} B, islands ${islands} B (brotli)`);
  }
});

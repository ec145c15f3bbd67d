import { expect, test } from '../support/test';

test.setTimeout(300_000);

test('the demo is a workspace with a past, and its owner comes in', async ({ page, server }) => {
  const demo = await server.command<{ workspace: string; email: string; password: string }>(['demo']);
  await page.goto('/sign-in');
  await page.getByLabel('Mail address').fill(demo.email);
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Northwind Trading' })).toBeVisible();
  await expect(page.getByText('Warehouse, old').first(), 'a key not used for 90 days').toBeVisible();
  await page.goto(`/w/${demo.workspace}/audit-log`);
  const newest = Number(await page.getByRole('table', { name: 'Audit events' }).locator('tbody td.num').first().innerText());
  expect(newest, 'events').toBeGreaterThan(1000);
  const again = server.command(['demo']);
  await expect(again, 'made once').rejects.toThrow(/is made once/);
});

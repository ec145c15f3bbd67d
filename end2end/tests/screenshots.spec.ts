import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test';
import { LOOKS, SCHEMES, SIZES } from '../support/pages';

const FOLDER = resolve(process.env.SEND0_SCREENSHOTS ?? '../docs/screenshots');

/** Every size and scheme of what the page shows now: some of it is shown only once. */
async function take(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const picture = await page.screenshot({ path: `${FOLDER}/${name}-${size}-${colorScheme}.png`, fullPage: true, animations: 'disabled' });
      expect(picture.length, 'not an empty page').toBeGreaterThan(2000);
    }
  }
}

for (const { name, open } of LOOKS) {
  test(name, async ({ page, workspace }) => {
    await open(page, workspace);
    await take(page, name);
  });
}

test.describe('the demo', () => {
  test.setTimeout(300_000);

  test('as its owner sees it', async ({ page, server }) => {
    const demo = await server.command<{ workspace: string; email: string; password: string }>(['demo']);
    await page.goto('/sign-in');
    await page.getByLabel('Mail address').fill(demo.email);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Northwind' })).toBeVisible();
    for (const name of ['overview', 'members', 'api-keys', 'audit-log']) {
      await page.goto(`/w/${demo.workspace}${name === 'overview' ? '' : `/${name}`}`);
      await take(page, `demo-${name}`);
    }
  });
});

test.describe('before anybody owns anything', () => {
  test.use({ baseURL: async ({ freshServer }, use) => use(freshServer.url) });

  test('set-up', async ({ page, freshServer }) => {
    await page.goto('/sign-in');
    await take(page, 'not-set-up');
    await page.goto(freshServer.setupLink);
    await take(page, 'set-up');
  });
});

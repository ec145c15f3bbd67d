import { expect, type Page } from '@playwright/test';
import { issueKey, shownKey, summary } from './forms';
import type { Workspace } from './workspace';

export type Look = { name: string; open: (page: Page, workspace: Workspace) => Promise<unknown> };

/** Opens a page as the owner. */
function signedIn(name: string, open: (page: Page, workspace: Workspace) => Promise<unknown>): Look {
  const enter = async (page: Page, workspace: Workspace) => {
    await workspace.signIn(page);
    await open(page, workspace);
  };
  return { name, open: enter };
}

/** Some keys and calls, so that lists have something to show. */
async function furnish(workspace: Workspace): Promise<void> {
  const billing = await workspace.key('Billing service');
  const deploy = await workspace.key('CI deploy', 'restricted', ['workspace.read', 'members.read']);
  await workspace.key('Local development', 'test');
  await workspace.call(billing.key, '/v1/workspace');
  await workspace.call(billing.key, '/v1/api-keys');
  await workspace.call(deploy.key, '/v1/audit-events');
}

const openKey = async (page: Page, workspace: Workspace) => {
  await furnish(workspace);
  await page.goto(workspace.path('api-keys'));
  await page.getByRole('link', { name: 'CI deploy' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('CI deploy');
};

/** Every page, in every state that looks different. Set-up is not here: it needs a server of its own. */
export const LOOKS: Look[] = [
  { name: 'sign-in', open: (page) => page.goto('/sign-in') },
  {
    name: 'sign-in-refused',
    open: async (page, workspace) => {
      await page.goto('/sign-in');
      await workspace.fillSignIn(page, 'not the password');
      await expect(summary(page)).toBeVisible();
    },
  },
  { name: 'nothing-here', open: (page) => page.goto('/nothing/here') },
  signedIn('overview', async (page, workspace) => {
    await furnish(workspace);
    await page.reload();
  }),
  signedIn('keys-empty', (page, workspace) => page.goto(workspace.path('api-keys'))),
  signedIn('keys', async (page, workspace) => {
    await furnish(workspace);
    await page.goto(workspace.path('api-keys'));
  }),
  signedIn('new-key', (page, workspace) => page.goto(workspace.path('api-keys/new'))),
  signedIn('new-key-refused', async (page, workspace) => {
    await page.goto(workspace.path('api-keys/new'));
    await issueKey(page, { name: '   ' });
    await expect(summary(page)).toBeVisible();
  }),
  signedIn('secret', async (page, workspace) => {
    await page.goto(workspace.path('api-keys/new'));
    await issueKey(page, { name: 'CI deploy', scopes: ['workspace.read'] });
    await shownKey(page);
  }),
  signedIn('secret-gone', async (page, workspace) => {
    const { id } = await workspace.key('CI deploy');
    await page.goto(workspace.path(`api-keys/${id}/secret`));
  }),
  signedIn('key', openKey),
  signedIn('key-revoked', async (page, workspace) => {
    await openKey(page, workspace);
    await page.getByLabel('Reason').fill('The laptop was lost');
    await page.getByRole('button', { name: 'Revoke key' }).click();
    await expect(page.getByRole('status')).toContainText('The key is revoked.');
  }),
  signedIn('audit-log', async (page, workspace) => {
    await furnish(workspace);
    await page.goto(workspace.path('audit-log'));
  }),
  signedIn('audit-log-misread', (page, workspace) => page.goto(workspace.path('audit-log?from=yesterday&outcome=maybe'))),
  signedIn('audit-log-no-match', (page, workspace) => page.goto(workspace.path('audit-log?actor=nobody@example.com'))),
  signedIn('event', async (page, workspace) => {
    await furnish(workspace);
    await page.goto(workspace.path('audit-log'));
    await page.getByRole('link', { name: 'issued API key CI deploy' }).click();
    await expect(page.getByText('Before and after')).toBeVisible();
  }),
];

export const SCHEMES = ['light', 'dark'] as const;
export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 812 } } as const;

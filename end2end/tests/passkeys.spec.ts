import type { CDPSession, Page } from '@playwright/test';
import { expect, test } from '../support/test';

/** A device of this browser's own that verifies its user. */
async function authenticator(page: Page): Promise<{ cdp: CDPSession; id: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2' as const,
    transport: 'internal' as const,
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options });
  return { cdp, id: authenticatorId };
}

async function addPasskey(page: Page, name: string): Promise<void> {
  await page.goto('/account/security');
  await page.getByLabel('Name of the new passkey').fill(name);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page.getByText('The passkey is added')).toBeVisible();
}

/** Nothing is offered in the field for the mail address: the device would answer that before anything else. */
async function withoutOffers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
  });
}

test('a passkey is added, opens the account from the field for the mail address, is renamed and removed', async ({ owner: page, workspace }) => {
  await authenticator(page);
  await addPasskey(page, 'Laptop');
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  await expect(page.locator('.codes code')).toHaveCount(10);
  await page.goto('/account');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(async () => {
    await page.goto('/sign-in');
    await expect(page.getByRole('heading', { level: 1, name: workspace.name })).toBeVisible({ timeout: 4_000 });
  }).toPass();

  await workspace.demandNothing(page);
  await page.goto('/account/security');
  await page.getByLabel('New name of Laptop').fill('Desk');
  await page.getByRole('button', { name: 'Rename' }).click();
  await expect(page.getByRole('rowheader', { name: 'Desk' })).toBeVisible();
  await page.getByRole('row').filter({ hasText: 'Desk' }).getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('The passkey Desk is removed')).toBeVisible();
  await expect(page.getByText('No passkey yet.')).toBeVisible();
});

test('a passkey signs in alone, and is the second factor after the password', async ({ owner: page, workspace }) => {
  await withoutOffers(page);
  await authenticator(page);
  await addPasskey(page, 'Laptop');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(page.getByRole('heading', { level: 1, name: workspace.name })).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await workspace.fillSignIn(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Second factor');
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(page.getByRole('heading', { level: 1, name: workspace.name })).toBeVisible();
});

test('a passkey confirms the change that the page names, and no other', async ({ owner: page, workspace, server }) => {
  await withoutOffers(page);
  await authenticator(page);
  await addPasskey(page, 'Laptop');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(page.getByRole('heading', { level: 1, name: workspace.name })).toBeVisible();
  await server.ageProofs(workspace.email);
  await page.goto(workspace.path('settings'));
  await page.getByRole('radio', { name: /^A passkey/ }).check();
  await page.getByLabel('Days to add one').fill('3');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Confirm that it is you');
  await expect(page.getByText('Demand a passkey, within 3 days of every member')).toBeVisible();
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(page.getByText('You have confirmed that it is you')).toBeVisible();
  await expect(page.getByLabel('Days to add one')).toHaveValue('3');

  // Something else than what was confirmed.
  await page.getByLabel('Days to add one').fill('4');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByText('Demand a passkey, within 4 days of every member')).toBeVisible();
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(page.getByLabel('Days to add one')).toHaveValue('4');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
});

for (const [what, bits] of [
  ['a bogus signature', { isBogusSignature: true }],
  ['nobody verified', { isBadUV: true }],
  ['nobody present', { isBadUP: true }],
] as const) {
  test(`${what} opens nothing`, async ({ owner: page }) => {
    await withoutOffers(page);
    const { cdp, id } = await authenticator(page);
    await addPasskey(page, 'Laptop');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await cdp.send('WebAuthn.setResponseOverrideBits', { authenticatorId: id, ...bits });
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await expect(page.getByText('This passkey does not open anything here').first()).toBeVisible();
    expect((await page.context().cookies()).map((cookie) => cookie.name)).not.toContain('__Host-session');
  });
}

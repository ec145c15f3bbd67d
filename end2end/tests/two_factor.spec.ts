import { expect, test } from '../support/test';
import { enrol, nextStep, totp } from '../support/totp';
import { PASSWORD } from '../support/workspace';

test.setTimeout(120_000);

test('an app is set up, asked for, and a lost one recovered from', async ({ owner: page, workspace, newVisitor }) => {
  const { seed, codes, confirmedAt } = await enrol(page);
  await page.goBack();
  await page.goto('/account/security/recovery-codes');
  await expect(page.getByText('cannot be shown again')).toBeVisible();

  const visitor = await newVisitor();
  await visitor.goto(workspace.path());
  await workspace.fillSignIn(visitor);
  await expect(visitor.getByRole('heading', { level: 1 })).toHaveText('Second factor');
  await visitor.getByLabel('Code of your authenticator app').fill(totp(seed, confirmedAt));
  await visitor.getByRole('button', { name: 'Confirm' }).click();
  await expect(visitor.getByText('This code does not open anything').first()).toBeVisible();
  await visitor.goto('/account');
  await expect(visitor, 'half in is not in').toHaveURL(/second-factor/);
  await nextStep(confirmedAt);
  await visitor.getByLabel('Code of your authenticator app').fill(totp(seed));
  await visitor.getByRole('button', { name: 'Confirm' }).click();
  await expect(visitor.getByRole('heading', { level: 1 })).toHaveText('Account');

  const lost = await newVisitor();
  await lost.goto('/sign-in');
  await workspace.fillSignIn(lost);
  await lost.getByText('The device is lost').click();
  await lost.getByLabel('Recovery code').fill(codes[0].toUpperCase());
  await lost.getByRole('button', { name: 'Use a recovery code' }).click();
  await expect(lost.getByText('You came in with a recovery code')).toBeVisible();
  await expect(lost.getByText('9 of 10 left')).toBeVisible();
  await lost.getByRole('button', { name: 'Remove the app' }).click();
  await expect(lost.getByText('Acme would not let you in without it').first()).toBeVisible();
  await workspace.demandNothing(lost);
  await lost.goto('/account/security');
  await lost.getByRole('button', { name: 'Remove the app' }).click();
  await expect(lost.getByText('The app is removed')).toBeVisible();
  await page.reload();
  await expect(page, 'every other session has ended').toHaveURL(/\/sign-in/);
});

test('who is hit by a policy is shown before, and the date of the first one stands', async ({ owner: page, workspace, newVisitor }) => {
  const email = await workspace.addMember('Vi', 'viewer');
  await page.goto(workspace.path('settings'));
  await expect(page.getByText('2 members do not meet it yet.')).toBeVisible();
  await page.getByRole('radio', { name: /^A passkey/ }).check();
  await page.getByLabel('Days to add one').fill('99');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByText('A number of days from 1 to 30.').first()).toBeVisible();
  await expect(page.getByRole('radio', { name: /^A passkey/ })).toBeChecked();
  await page.getByLabel('Days to add one').fill('3');
  await page.getByRole('button', { name: 'Save policy' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: email })).toContainText('kept out in 6 d');
  const viewer = await newVisitor();
  await workspace.signInAs(viewer, email);
  await viewer.getByRole('link', { name: 'Add a second factor' }).click();
  await expect(viewer.getByRole('heading', { level: 1 })).toHaveText('Security');
});

test('sessions are listed, and one is signed out from another', async ({ owner: page, workspace, newVisitor }) => {
  const elsewhere = await newVisitor();
  await workspace.signIn(elsewhere);
  await page.goto('/account/sessions');
  await expect(page.getByRole('row')).toHaveCount(3);
  await expect(page.getByText('this one')).toBeVisible();
  await page.getByRole('row').filter({ hasNotText: 'this one' }).getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('Signed out there.')).toBeVisible();
  await elsewhere.reload();
  await expect(elsewhere).toHaveURL(/\/sign-in/);
});

test('a forgotten password is replaced by mail', async ({ page, workspace }) => {
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await page.getByLabel('Mail address').fill(workspace.email);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await expect(page.getByText('a mail is on its way')).toBeVisible();
  const link = await workspace.mailedLink(workspace.email);
  await page.goto(link);
  await expect(page).toHaveURL(/\/sign-in\/reset$/);
  await page.getByLabel('New password').fill('short');
  await page.getByRole('button', { name: 'Set the password' }).click();
  await expect(page.getByText('At least 15 characters; this has 5').first()).toBeVisible();
  await page.getByLabel('New password').fill(`${PASSWORD} anew`);
  await page.getByRole('button', { name: 'Set the password' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in');
  await page.getByLabel('Mail address').fill(workspace.email);
  await page.getByLabel('Password', { exact: true }).fill(`${PASSWORD} anew`);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: workspace.name })).toBeVisible();
  await page.goto(link);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('This link is void');
});

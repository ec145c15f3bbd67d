import { expect, test } from '../support/test';
import { PASSWORD } from '../support/workspace';

test('name, zone and theme', async ({ owner: page, workspace }) => {
  await page.goto('/account');
  await page.getByLabel('Name').fill('Ana Lee');
  await page.getByLabel('Time zone').selectOption('Asia/Kolkata');
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('status').first()).toContainText('Saved.');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.goto(workspace.path('members'));
  await expect(page.getByRole('main').getByRole('link', { name: 'Ana Lee' })).toBeVisible();
  await expect(page.locator('time').first()).toHaveAttribute('title', / IST$/);
});

test('a new password ends the other sessions', async ({ owner: page, workspace, newVisitor }) => {
  const elsewhere = await newVisitor();
  await workspace.signIn(elsewhere);
  await page.goto('/account');
  const section = page.locator('#change-password');
  await section.getByLabel('Present password').fill('not the password at all');
  await section.getByLabel('New password').fill('another quiet set of words');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('This is not your present password.').first()).toBeVisible();
  await section.getByLabel('Present password').fill(PASSWORD);
  await section.getByLabel('New password').fill('another quiet set of words');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('status').first()).toContainText('Your other session has ended.');
  await elsewhere.reload();
  await expect(elsewhere).toHaveURL(/\/sign-in/);
});

test('a new mail address, confirmed from both', async ({ owner: page, workspace, newVisitor }) => {
  const email = `new-${workspace.email}`;
  await page.goto('/account');
  const section = page.locator('#mail-address');
  await section.getByLabel('New mail address').fill(email);
  await section.getByLabel('Present password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Send both links' }).click();
  await expect(section.getByText('waits for its link to be opened')).toHaveCount(2);
  const visitor = await newVisitor();
  await visitor.goto(await workspace.mailedLink(email));
  await expect(visitor).toHaveURL(/\/account\/address$/);
  await visitor.getByRole('button', { name: 'Yes, change it' }).click();
  await expect(visitor.getByText('The other address has still to say yes')).toBeVisible();
  await visitor.goto(await workspace.mailedLink(workspace.email));
  await visitor.getByRole('button', { name: 'Yes, change it' }).click();
  await expect(visitor.getByText('the new one is the one to sign in with')).toBeVisible();
  await page.reload();
  await expect(page.getByText(`You sign in with ${email}`)).toBeVisible();
});

test('a password is typed unseen and can be pasted', async ({ owner: page, newVisitor }) => {
  const visitor = await newVisitor();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.goto('/sign-in');
  await page.goto('/account');
  for (const field of [
    visitor.getByLabel('Password'),
    page.locator('#change-password').getByLabel('Present password'),
    page.locator('#change-password').getByLabel('New password'),
    page.locator('#mail-address').getByLabel('Present password'),
  ]) {
    await expect(field).toHaveAttribute('type', 'password');
    await field.page().evaluate((text) => navigator.clipboard.writeText(text), PASSWORD);
    await field.focus();
    await field.page().keyboard.press('Control+V');
    await expect(field).toHaveValue(PASSWORD);
  }
});

import { expect, test } from '../support/test';
import { issueKey, shownKey } from '../support/forms';
import { PASSWORD } from '../support/workspace';

test('invite, come in, change the role, remove: all of it in the log', async ({ owner: page, workspace, newVisitor }) => {
  await workspace.invite(page, ['bo@example.com', 'nonsense'], 'developer');
  await expect(page.getByText('1 of 2 invitations sent')).toBeVisible();
  await expect(page.getByText('Not a mail address')).toBeVisible();
  await page.reload();
  await expect(page.getByText('1 of 2 invitations sent')).toHaveCount(0);

  const bo = await newVisitor();
  await bo.goto(await workspace.mailedLink('bo@example.com'));
  await expect(bo).toHaveURL(/\/invitations$/);
  await expect(bo.getByText('invites bo@example.com as a developer')).toBeVisible();
  await bo.getByLabel('Your name').fill('Bo');
  await bo.getByLabel('Password').fill(PASSWORD);
  await bo.getByRole('button', { name: 'Join' }).click();
  await expect(bo).toHaveURL(workspace.path());
  await expect(bo.getByRole('navigation').getByRole('link', { name: 'Settings' })).toHaveCount(0);
  await bo.goto(workspace.path('api-keys/new'));
  await issueKey(bo, { name: 'Of Bo', kind: 'Test' });
  await shownKey(bo);

  await page.goto(workspace.path('members'));
  await page.getByRole('main').getByRole('link', { name: 'Bo', exact: true }).click();
  await page.getByLabel('Role', { exact: true }).selectOption('admin');
  await page.getByRole('button', { name: 'Change role' }).click();
  await expect(page.getByRole('status').first()).toContainText('Bo is an admin now.');
  await bo.reload();
  await expect(bo.getByRole('navigation').getByRole('link', { name: 'Settings' })).toBeVisible();

  await page.getByLabel('The key Of Bo').selectOption({ label: 'Is revoked at once' });
  await page.getByRole('button', { name: 'Remove member' }).click();
  await expect(page.getByRole('status').first()).toContainText('Bo is no member any more.');
  expect((await bo.reload())?.status()).toBe(404);

  const { key } = await workspace.key('Reads the log', 'restricted', ['audit.read']);
  const actions = (await workspace.events(key)).map((event) => event.action);
  for (const action of ['member.invited', 'member.joined', 'member.role_changed', 'api_key.revoked', 'member.removed']) {
    expect(actions).toContain(action);
  }
});

test('an invitation is sent again, gets a new link, is revoked', async ({ owner: page, workspace, newVisitor }) => {
  await workspace.invite(page, ['bo@example.com'], 'viewer');
  const first = await workspace.mailedLink('bo@example.com');
  await page.getByRole('button', { name: 'Resend' }).click();
  await expect(page.getByText('Sent again to bo@example.com')).toBeVisible();
  const second = await workspace.mailedLink('bo@example.com');
  expect(second).not.toBe(first);
  await page.getByRole('button', { name: 'New link' }).click();
  const third = await page.locator('.banner pre').innerText();
  const visitor = await newVisitor();
  for (const [link, heading] of [
    [first, 'This invitation is void'],
    [second, 'This invitation is void'],
    [third, 'Join Acme'],
  ]) {
    await visitor.goto(link);
    await expect(visitor.getByRole('heading', { level: 1 })).toHaveText(heading);
  }
  await page.reload();
  await expect(page.locator('.banner pre')).toHaveCount(0);
  await page.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByText('Its link opens nothing any more')).toBeVisible();
  await visitor.goto(third);
  await expect(visitor.getByRole('heading', { level: 1 })).toHaveText('This invitation is void');
});

test('an account accepts an invitation into a second workspace and switches', async ({ owner: page, workspace, newVisitor }) => {
  await page.goto('/workspaces/new');
  await page.getByLabel('Name').fill('Birch');
  await page.getByRole('button', { name: 'Create workspace' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Birch' })).toBeVisible();
  const email = await workspace.addMember('Cy', 'viewer');
  const birch = new URL(page.url()).pathname;
  await page.goto(`${birch}/members/invite`);
  await page.getByLabel('Mail addresses').fill(email);
  await page.getByLabel('Role').selectOption('security');
  await page.getByRole('button', { name: 'Send invitations' }).click();
  const cy = await newVisitor();
  await cy.goto(await workspace.mailedLink(email));
  await cy.getByRole('link', { name: 'Sign in' }).click();
  await cy.getByLabel('Mail address').fill(email);
  await cy.getByLabel('Password').fill(PASSWORD);
  await cy.getByRole('button', { name: 'Sign in', exact: true }).click();
  await cy.getByRole('button', { name: 'Accept' }).click();
  await expect(cy).toHaveURL(birch);
  await cy.locator('.switcher > summary').click();
  await cy.getByRole('link', { name: 'Acme', exact: true }).click();
  await expect(cy.getByRole('heading', { level: 1, name: 'Acme' })).toBeVisible();
});

test('the last owner cannot go, and is told why', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('members'));
  await page.getByRole('main').getByRole('link', { name: 'Ana' }).click();
  await page.getByRole('button', { name: 'Leave the workspace' }).click();
  await expect(page.getByRole('alert')).toContainText('this is the last one');
  await page.getByLabel('Role', { exact: true }).selectOption('viewer');
  await page.getByRole('button', { name: 'Change role' }).click();
  await expect(page.getByRole('alert')).toContainText('Make somebody else an owner first');
});

test('who can do what is on a page', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('members'));
  await page.getByRole('link', { name: 'Who can do what' }).click();
  const row = page.getByRole('row').filter({ hasText: 'audit.read' });
  await expect(row.getByRole('cell')).toContainText(['✓', '✓', '–', '✓', '–', '–', '✓']);
});

test('a workspace is renamed and keeps its address', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('settings'));
  await page.getByLabel('Name').fill('Umbrella');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('status').first()).toContainText('Saved.');
  await expect(page).toHaveURL(workspace.path('settings'));
  await expect(page.locator('.switcher > summary')).toContainText('Umbrella');
});

test('all sessions of a member are ended', async ({ owner: page, workspace, newVisitor }) => {
  const email = await workspace.addMember('Vi Viewer', 'viewer');
  const viewer = await newVisitor();
  await workspace.signInAs(viewer, email);
  await page.goto(workspace.path('members'));
  await page.getByRole('main').getByRole('link', { name: 'Vi Viewer' }).click();
  await page.getByRole('button', { name: 'End all sessions' }).click();
  await expect(page.getByText('All sessions of Vi Viewer have ended.')).toBeVisible();
  await viewer.reload();
  await expect(viewer).toHaveURL(/\/sign-in/);
});

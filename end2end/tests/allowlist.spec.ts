import { expect, test } from '../support/test';
import { summary } from '../support/forms';

/** Tests and server are on one machine. */
const HERE = '127.0.0.1';

test('a list for the dashboard: drafted, tried out, saved, confirmed, and all of it in the log', async ({ owner: page, workspace }) => {
  await test.step('begun from the empty page', async () => {
    await page.getByRole('navigation', { name: 'Workspace' }).getByRole('link', { name: 'Allowlist' }).click();
    await expect(page.getByText('People and keys get in from everywhere')).toBeVisible();
    await page.getByRole('link', { name: 'Draft a list for the dashboard' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('The list of the dashboard, as a draft');
  });

  await test.step('host bits are refused with the corrected form, and what was typed stays', async () => {
    await page.getByLabel('Address or network').fill('10.0.0.1/8');
    await page.getByLabel('Note').fill('The office');
    await page.getByRole('button', { name: 'Add to the draft' }).click();
    await expect(summary(page)).toBeVisible();
    await expect(page.locator('#cidr-error')).toContainText('CIDR 10.0.0.1/8 has host bits set. Did you mean 10.0.0.0/8?');
    await expect(page.getByLabel('Address or network')).toHaveValue('10.0.0.1/8');
    await expect(page.getByLabel('Note')).toHaveValue('The office');
    await page.getByLabel('Address or network').fill('10.0.0.0/8');
    await page.getByRole('button', { name: 'Add to the draft' }).click();
    await expect(page.getByRole('status').first()).toContainText('10.0.0.0/8 is in the draft.');
    await expect(page.getByRole('row', { name: '10.0.0.0/8' })).toContainText('10.0.0.0 to 10.255.255.255');
  });

  await test.step('an entry is changed in place', async () => {
    await page.getByRole('link', { name: 'Change 10.0.0.0/8' }).click();
    await expect(page.getByLabel('Note')).toHaveValue('The office');
    await page.getByLabel('Note').fill('The old office');
    await page.getByLabel('Address or network').fill('10.0.0.1/8');
    await page.getByRole('button', { name: 'Change the entry' }).click();
    await expect(page.locator('#cidr-error')).toContainText('Did you mean 10.0.0.0/8?');
    await expect(page.getByLabel('Note')).toHaveValue('The old office');
    await page.getByLabel('Address or network').fill('10.0.0.0/8');
    await page.getByRole('button', { name: 'Change the entry' }).click();
    await expect(page.getByRole('row', { name: '10.0.0.0/8' })).toContainText('The old office');
  });

  await test.step('what would shut out whoever edits cannot be saved', async () => {
    await page.getByRole('link', { name: 'Review the draft' }).click();
    await expect(page.getByText(`you come from ${HERE}, which is in no entry`)).toBeVisible();
    await expect(page.getByRole('button', { name: 'Save the list' })).toHaveCount(0);
    await expect(page.locator('#shut-out')).toContainText('Ana');
    await page.getByRole('link', { name: 'Back to the draft' }).click();
  });

  await test.step('with the own address it can be', async () => {
    await page.getByRole('button', { name: `Add mine, ${HERE}` }).click();
    await expect(page.getByText(`Your address, ${HERE}, is in`)).toBeVisible();
    await page.getByRole('link', { name: 'Review the draft' }).click();
    await expect(page.locator('#gets-in')).toContainText('Ana');
    await expect(page.locator('#gets-in')).toContainText(HERE);
    await expect(page.locator('#shut-out')).toContainText('Nobody');
    await page.getByRole('button', { name: 'Save the list' }).click();
    await expect(page).toHaveURL(workspace.path('allowlist'));
    await expect(page.getByText('The list of the dashboard is not confirmed yet')).toBeVisible();
    await expect(page.getByText(/It reverts at .* unless confirmed/)).toBeVisible();
  });

  await test.step('confirmed, it stays', async () => {
    await page.getByRole('button', { name: 'Confirm' }).click();
    await expect(page.getByRole('status').first()).toContainText('The list of the dashboard stays.');
    await expect(page.getByText(/It reverts at/)).toHaveCount(0);
    await expect(page.locator('#dashboard')).toContainText('enforced');
  });

  await test.step('an address is checked, and the question is in the URL', async () => {
    await page.getByLabel('Address', { exact: true }).fill('10.1.2.3');
    await page.getByRole('button', { name: 'Check' }).click();
    await expect(page).toHaveURL(/[?]address=10\.1\.2\.3/);
    await expect(page.getByText('10.1.2.3 gets into the dashboard by 10.0.0.0/8 (The old office).')).toBeVisible();
    await page.getByLabel('Address', { exact: true }).fill('198.51.100.9');
    await page.getByRole('button', { name: 'Check' }).click();
    await expect(page.getByText('198.51.100.9 does not get into the dashboard')).toBeVisible();
    await expect(page.getByText('198.51.100.9 gets into the API: its list is off.')).toBeVisible();
  });

  const { key } = await workspace.key('Reads the log', 'restricted', ['audit.read']);
  const events = await workspace.events(key);
  const actions = events.map((event) => event.action);
  for (const action of ['allowlist.drafted', 'allowlist.changed', 'allowlist.confirmed']) expect(actions).toContain(action);
});

test('a list for the API keeps a key out at once, until the command line lets it in again', async ({ owner: page, workspace, server }) => {
  const { key } = await workspace.key('CI deploy', 'restricted', ['workspace.read']);
  expect((await workspace.call(key, '/v1/workspace')).status()).toBe(200);
  await page.goto(workspace.path('allowlist/api'));
  await page.getByLabel('Address or network').fill('192.0.2.0/24');
  await page.getByRole('button', { name: 'Add to the draft' }).click();
  await page.getByRole('link', { name: 'Review the draft' }).click();
  await expect(page.locator('#shut-out')).toContainText('CI deploy');
  await expect(page.locator('#shut-out')).toContainText(HERE);
  await page.getByRole('button', { name: 'Save the list' }).click();

  const refused = await workspace.call(key, '/v1/workspace');
  expect(refused.status()).toBe(403);
  expect(await refused.json()).toMatchObject({ code: 'blocked_by_ip', title: 'This address is not let in' });

  const done = await server.command<{ disabled: string[] }>(['allowlist', 'disable', '--workspace', workspace.slug]);
  expect(done.disabled).toEqual(['api']);
  expect((await workspace.call(key, '/v1/workspace')).status()).toBe(200);
  await page.reload();
  await expect(page.locator('#api')).toContainText('off');
  await expect(page.getByRole('link', { name: 'Review the draft for the API' })).toBeVisible();
});

test('a change is undone, and what only reports keeps nobody out', async ({ owner: page, workspace }) => {
  const { key } = await workspace.key('CI deploy', 'restricted', ['workspace.read', 'audit.read']);
  await page.goto(workspace.path('allowlist/api'));
  await page.getByLabel('Address or network').fill('192.0.2.0/24');
  await page.getByRole('button', { name: 'Add to the draft' }).click();
  await page.getByLabel('Once it is saved').selectOption({ label: 'Only report, and decide within 14 days' });
  await page.getByRole('button', { name: 'Change the draft' }).click();
  await page.getByRole('link', { name: 'Review the draft' }).click();
  await page.getByRole('button', { name: 'Save the list' }).click();
  await expect(page.locator('#api')).toContainText('only reports');
  expect((await workspace.call(key, '/v1/workspace')).status()).toBe(200);
  expect((await workspace.events(key)).map((event) => event.action)).toContain('allowlist.would_block');

  await page.getByRole('button', { name: 'Undo now' }).click();
  await expect(page.getByRole('status').first()).toContainText('The list of the API is what it was before.');
  await expect(page.locator('#api')).toContainText('Everybody gets in from everywhere.');
});

test('two editors do not overwrite each other', async ({ owner: page, workspace, newVisitor }) => {
  const other = await newVisitor();
  await workspace.signIn(other);
  await other.goto(workspace.path('allowlist/dashboard'));
  await page.goto(workspace.path('allowlist/dashboard'));
  await page.getByLabel('Address or network').fill('192.0.2.0/24');
  await page.getByRole('button', { name: 'Add to the draft' }).click();
  await other.getByLabel('Address or network').fill('198.51.100.0/24');
  await other.getByRole('button', { name: 'Add to the draft' }).click();
  await expect(summary(other)).toContainText('The list was changed while this page was open.');
  await expect(other.getByRole('row', { name: '192.0.2.0/24' })).toBeVisible();
  await expect(other.getByLabel('Address or network')).toHaveValue('198.51.100.0/24');
  await other.getByRole('button', { name: 'Add to the draft' }).click();
  await expect(other.getByRole('row', { name: '198.51.100.0/24' })).toBeVisible();
});

test('who may only look sees no forms', async ({ owner: page, workspace, newVisitor }) => {
  const email = await workspace.addMember('Bo Developer', 'developer');
  const bo = await newVisitor();
  await workspace.signInAs(bo, email);
  await bo.goto(workspace.path('allowlist'));
  await expect(bo.getByText('Ask an owner or an admin to draft one.')).toBeVisible();
  expect((await bo.goto(workspace.path('allowlist/dashboard')))?.status()).toBe(403);
});

test('a proxy that nobody named is pointed out', async ({ owner: page, workspace }) => {
  const said = page.getByText('Addresses may not be what they seem');
  await page.goto(workspace.path('allowlist'));
  await expect(said).toHaveCount(0);
  await page.setExtraHTTPHeaders({ 'x-forwarded-for': '198.51.100.1' });
  await page.goto(workspace.path('allowlist'));
  await expect(said).toBeVisible();
  await expect(page.getByText(`passed on by ${HERE}`)).toBeVisible();
});

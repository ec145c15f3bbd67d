import { expect, test } from '../support/test';
import { summary } from '../support/forms';

test('an address outside is named, says yes, is told, and goes again', async ({ owner: page, workspace, newVisitor }) => {
  // On a server that other tests use too, an address of this test's own finds its mail.
  const email = `soc-${workspace.slug}@example.com`;
  await test.step('the overview asks for a contact', async () => {
    await page.getByRole('link', { name: 'Name a security contact' }).click();
    await expect(page).toHaveURL(workspace.path('contacts'));
    await expect(page.getByText('One contact is told of changes')).toBeVisible();
  });
  await workspace.addContact(page, email);
  const row = page.getByRole('row').filter({ hasText: email });
  await expect(row).toContainText('waits');

  const soc = await newVisitor();
  await test.step('the link confirms once, without an account', async () => {
    const link = await workspace.mailedLink(email);
    await soc.goto(link);
    await expect(soc).toHaveURL(/\/contacts$/);
    await expect(soc.getByText(`names ${email} as a security contact of Acme`)).toBeVisible();
    await soc.getByRole('button', { name: 'Agree' }).click();
    await expect(soc.getByRole('heading', { level: 1 })).toHaveText('Confirmed');
    await soc.goto(link);
    await expect(soc.getByRole('heading', { level: 1 })).toHaveText('This link is void');
  });

  await page.reload();
  await expect(row).toContainText('confirmed');
  await test.step('they choose what they are told about', async () => {
    await row.getByRole('link', { name: email }).click();
    for (const kind of await page.getByRole('checkbox').all()) await kind.uncheck();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(summary(page)).toContainText('Choose at least one.');
    await page.getByRole('checkbox', { name: 'API keys' }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('status').first()).toContainText('Saved.');
    await expect(page.getByRole('checkbox', { name: 'API keys' })).toBeChecked();
    await expect(page.getByRole('checkbox', { name: 'Team' })).not.toBeChecked();
  });

  await test.step('a test arrives', async () => {
    await page.getByRole('button', { name: 'Send a test' }).click();
    await expect(page.getByRole('status').first()).toContainText(`A test is on its way to ${email}.`);
    await soc.goto('/dev/mailbox');
    const newest = soc.locator(`li[data-to="${email}"]`).first();
    await expect(newest.getByRole('heading')).toHaveText('A test from send0');
  });

  await test.step('a live key is news', async () => {
    await workspace.key('Shop');
    await soc.reload();
    const newest = soc.locator(`li[data-to="${email}"]`).first();
    await expect(newest.getByRole('heading')).toHaveText('Acme: API key Shop was issued');
    await newest.getByText('As it is sent').click();
    await expect(newest.getByText('<!DOCTYPE html>')).toBeVisible();
  });

  await test.step('they are removed', async () => {
    await page.getByRole('button', { name: 'Remove contact' }).click();
    await expect(page.getByRole('status').first()).toContainText(`${email} is no security contact any more.`);
    await expect(page.getByRole('row').filter({ hasText: email })).toHaveCount(0);
  });

  const { key } = await workspace.key('Reads the log', 'restricted', ['audit.read']);
  const actions = (await workspace.events(key)).map((event) => event.action);
  for (const action of ['contact.added', 'contact.confirmed', 'contact.changed', 'contact.tested', 'contact.removed']) {
    expect(actions).toContain(action);
  }
});

test('the last contact stays, and the page says why', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('contacts'));
  await page.getByRole('table').getByRole('link', { name: 'Ana' }).click();
  await page.getByRole('button', { name: 'Remove contact' }).click();
  await expect(page.getByRole('alert')).toContainText('this is the last one');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ana');
});

test('a member is a contact at once', async ({ owner: page, workspace }) => {
  const email = await workspace.addMember('Cy', 'security');
  await page.goto(workspace.path('contacts'));
  await page.getByLabel('Mail address', { exact: true }).fill(email);
  await page.getByRole('button', { name: 'Add contact' }).click();
  await expect(page.getByRole('status').first()).toContainText(`${email} is a security contact now.`);
  await expect(page.getByRole('row').filter({ hasText: email })).toContainText('member');
  await page.goto(workspace.path());
  await expect(page.getByRole('link', { name: 'Name a security contact' })).toHaveCount(0);
});

test('contacts are for those who may name them', async ({ page, owner, workspace, newVisitor }) => {
  const email = await workspace.addMember('Di', 'developer');
  const di = await newVisitor();
  await workspace.signInAs(di, email);
  await expect(di.getByRole('navigation').getByRole('link', { name: 'Contacts' })).toHaveCount(0);
  expect((await di.goto(workspace.path('contacts')))?.status()).toBe(403);
  await expect(di.getByText('contacts.manage')).toBeVisible();
  await page.goto(workspace.path('contacts'));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Security contacts');
});

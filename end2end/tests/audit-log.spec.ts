import { expect, test } from '../support/test';
import { issueKey, shownKey } from '../support/forms';
import type { Locator, Page } from '@playwright/test';

const sentences = (page: Page): Locator => page.getByRole('table').getByRole('rowheader');
const numbers = async (page: Page): Promise<number[]> => (await page.locator('tbody td.num').allInnerTexts()).map(Number);
const countdown = (from: number, to: number): number[] => Array.from({ length: from - to + 1 }, (_, place) => from - place);

test('filters stand in the URL and fill the form again', async ({ owner: page, workspace }) => {
  const key = await workspace.key('Reader');
  await workspace.call(key.key, '/v1/workspace');
  await workspace.call((await workspace.key('Narrow', 'restricted', ['workspace.read'])).key, '/v1/api-keys');
  await page.goto(workspace.path('audit-log'));

  await test.step('by action', async () => {
    await page.getByLabel('Action').selectOption('api_key.*');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page).toHaveURL(/action=api_key\.(\*|%2A)/);
    await expect(page.getByLabel('Action')).toHaveValue('api_key.*');
    await expect(sentences(page)).toHaveText(['The command line issued API key Narrow', 'The command line issued API key Reader']);
  });

  await test.step('by mail address, and searching is itself in the log', async () => {
    await page.getByRole('link', { name: 'Clear' }).click();
    await page.getByRole('searchbox', { name: 'Actor' }).fill(workspace.email);
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(sentences(page)).toHaveText([/^Ana searched the audit log/, /^Ana searched the audit log/, 'Ana signed in']);
  });

  await test.step('by key', async () => {
    await page.goto(workspace.path(`audit-log?actor=${key.id}`));
    await expect(sentences(page)).toHaveText(['The key Reader called the API: GET /v1/workspace']);
  });

  await test.step('by outcome', async () => {
    await page.goto(workspace.path('audit-log'));
    await page.getByLabel('Outcome').selectOption('denied');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page).toHaveURL(/outcome=denied/);
    await expect(sentences(page)).toHaveText([/^The key Narrow called the API: GET \/v1\/api-keys.*keys\.read$/]);
  });

  await test.step('by time', async () => {
    await page.goto(workspace.path('audit-log'));
    await page.getByLabel(/^From/).fill('2020-01-01T00:00');
    await page.getByLabel(/^To/).fill('2020-01-02T00:00');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page.getByText('No events match this filter')).toBeVisible();
    await expect(page.getByLabel(/^From/)).toHaveValue('2020-01-01T00:00');
    await page.goto(workspace.path('audit-log?from=2020-01-01&action=session.started'));
    await expect(sentences(page)).toHaveText(['Ana signed in']);
    await page.goto(workspace.path('audit-log?to=2020-01-01'));
    await page.getByRole('link', { name: 'Clear the filter' }).click();
    await expect(sentences(page).last()).toHaveText('The command line created workspace Acme');
  });
});

test('a filter that cannot be read is named, and the list stays', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('audit-log?from=yesterday&outcome=maybe&action=cake.eaten'));
  const message = page.locator('.banner');
  await expect(message).toContainText('The filter could not be read');
  for (const field of ['from', 'outcome', 'action']) await expect(message.getByText(field, { exact: true })).toBeVisible();
  await expect(sentences(page)).toHaveCount(3);
  await expect(page.getByLabel('Action')).toHaveValue('cake.eaten');
});

test('older and newer pages join without a gap', async ({ owner: page, workspace }) => {
  const { key } = await workspace.key('Load');
  for (let call = 0; call < 110; call += 10) {
    await Promise.all(Array.from({ length: 10 }, () => workspace.call(key, '/v1/workspace')));
  }
  // Before the calls: workspace, member, sign-in, key.
  const newest = 114;
  await page.goto(workspace.path('audit-log'));
  expect(await numbers(page)).toEqual(countdown(newest, newest - 49));
  await expect(page.getByRole('link', { name: 'newer' })).toHaveCount(0);
  await page.getByRole('link', { name: 'older' }).click();
  await expect(page).toHaveURL(/older=65/);
  expect(await numbers(page)).toEqual(countdown(newest - 50, newest - 99));
  await page.getByRole('link', { name: 'older' }).click();
  await expect(page).toHaveURL(/older=15/);
  expect(await numbers(page)).toEqual(countdown(newest - 100, 1));
  await expect(page.getByRole('link', { name: 'older' })).toHaveCount(0);
  await page.getByRole('link', { name: 'newer' }).click();
  await expect(page).toHaveURL(/newer=14/);
  expect(await numbers(page)).toEqual(countdown(newest - 50, newest - 99));

  await page.goto(workspace.path('audit-log?action=api.called'));
  await page.getByRole('link', { name: 'older' }).click();
  await expect(page, 'the filter stays').toHaveURL(/action=api\.called&older=\d+/);
  await expect(sentences(page).first()).toHaveText(/called the API/);
});

test('an event has a page, with before and after and as the API gives it', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('api-keys/new'));
  await issueKey(page, { name: 'CI deploy', scopes: ['audit.read'] });
  const secret = await shownKey(page);
  const reader = await workspace.key('Reader');
  const [event] = (await workspace.events(reader.key)).filter((one) => one.targets[0]?.id && one.actor.name === 'Ana' && one.action === 'api_key.issued');

  await page.goto(workspace.path('audit-log'));
  await page.getByRole('link', { name: 'Ana issued API key CI deploy' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ana issued API key CI deploy');
  await expect(page.getByText(`Event #${event.seq}`)).toBeVisible();
  await expect(page.getByText('Role at that time')).toBeVisible();
  await expect(page.getByText(event.request_id, { exact: true })).toBeVisible();

  const changes = page.getByRole('table', { name: 'What changed' });
  await expect(changes.getByRole('row', { name: 'scopes' })).toContainText('audit.read');
  await expect(changes.getByRole('row', { name: 'name' })).toContainText('not set');
  const raw: unknown = JSON.parse(await page.locator('pre code').innerText());
  expect(raw).toEqual(await (await workspace.call(reader.key, `/v1/audit-events/${page.url().split('/').pop()}`)).json());
  expect(await page.content()).not.toContain(secret);

  await page.getByRole('link', { name: event.actor.id }).click();
  await expect(sentences(page).last()).toHaveText('Ana signed in');
});

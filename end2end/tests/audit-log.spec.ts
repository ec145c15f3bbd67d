import { expect, test } from '../support/test';
import { putOnScale } from '../support/operator';
import { box, events, search, sentences } from '../support/audit-log';
import { hydrated, issueKey, shownKey } from '../support/forms';
import type { Locator, Page } from '@playwright/test';

const numbers = async (page: Page): Promise<number[]> => (await events(page).locator('tbody td.num').allInnerTexts()).map(Number);
const countdown = (from: number, to: number): number[] => Array.from({ length: from - to + 1 }, (_, place) => from - place);

test('a search stands in the URL and fills the box again', async ({ owner: page, workspace }) => {
  const key = await workspace.key('Reader');
  await workspace.call(key.key, '/v1/workspace');
  await workspace.call((await workspace.key('Narrow', 'restricted', ['workspace.read'])).key, '/v1/api-keys');
  await page.goto(workspace.path('audit-log'));
  const [sign, text] = await box(page).evaluate((one) => [
    one.closest('.search')!.querySelector('.icon')!.getBoundingClientRect().right,
    one.getBoundingClientRect().left + parseFloat(getComputedStyle(one).paddingLeft),
  ]);
  expect(text, 'the text begins beside its sign').toBeGreaterThanOrEqual(sign);

  await test.step('by action', async () => {
    await search(page, 'action:api_key.*');
    await expect(page).toHaveURL(/q=action%3Aapi_key\.(\*|%2A)/);
    await expect(box(page)).toHaveValue('action:api_key.*');
    await expect(sentences(page)).toHaveText(['The command line issued API key Narrow', 'The command line issued API key Reader']);
  });

  await test.step('by mail address, and searching is itself in the log', async () => {
    await page.getByRole('link', { name: 'Clear' }).click();
    await search(page, `actor:${workspace.email}`);
    await expect(sentences(page)).toHaveText([/^Ana searched the audit log/, /^Ana searched the audit log/, 'Ana signed in']);
  });

  await test.step('by a part of a name, without the API', async () => {
    await search(page, 'actor:reader -source:console');
    await expect(sentences(page)).toHaveText(['The key Reader called the API: GET /v1/workspace']);
  });

  await test.step('by a text, and an address', async () => {
    await search(page, '"/v1/api-keys" ip:127.0.0.0/8 -action:audit_log.*');
    await expect(sentences(page)).toHaveText([/^The key Narrow called the API: GET \/v1\/api-keys.*keys\.read$/]);
    await search(page, '"/v1/api-keys" -ip:127.0.0.0/8');
    await expect(page.getByText('No events match this filter')).toBeVisible();
  });

  await test.step('as older links have it', async () => {
    await page.goto(workspace.path(`audit-log?actor=${key.id}`));
    await expect(box(page)).toHaveValue(`actor:${key.id}`);
    await expect(sentences(page)).toHaveText(['The key Reader called the API: GET /v1/workspace']);
    await page.goto(workspace.path('audit-log?outcome=denied'));
    await expect(box(page)).toHaveValue('outcome:denied');
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
    // However a bound is written, the field has it, and it holds when the form is sent again.
    await page.goto(workspace.path('audit-log?from=2020-01-01&to=2020-01-02T18:00:30Z'));
    await expect(page.getByLabel(/^From/)).toHaveValue('2020-01-01T00:00');
    await expect(page.getByLabel(/^To/)).toHaveValue('2020-01-02T18:00:30');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page).toHaveURL(/from=2020-01-01T00%3A00&to=2020-01-02T18%3A00%3A30/);
    await expect(page.getByText('No events match this filter')).toBeVisible();
    await page.goto(workspace.path('audit-log?to=2020-01-01'));
    await page.getByRole('link', { name: 'Clear the filter' }).click();
    await expect(sentences(page).last()).toHaveText('The command line created workspace Acme');
  });
});

test('keys and values are completed by keyboard', { tag: '@scripts' }, async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('audit-log'));
  await hydrated(page);
  await box(page).pressSequentially('-out');
  const offers = page.getByRole('listbox', { name: 'Completions' });
  await expect(offers.getByRole('option')).toHaveText(['outcome:']);
  await page.keyboard.press('ArrowDown');
  await expect(offers.getByRole('option', { selected: true })).toHaveText('outcome:');
  await page.keyboard.press('Enter');
  await expect(box(page)).toHaveValue('-outcome:');
  await expect(offers.getByRole('option')).toHaveText(['outcome:success', 'outcome:denied', 'outcome:failed']);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Escape');
  await expect(offers).toBeHidden();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(box(page)).toHaveValue('-outcome:success ');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=-outcome%3Asuccess/);
  await expect(page.getByText('No events match this filter')).toBeVisible();
});

test('counts and bars narrow the search, and take it back', async ({ owner: page, workspace }) => {
  await workspace.key('Reader');
  await page.goto(workspace.path('audit-log'));
  const counts = page.getByRole('complementary', { name: 'Counts' });
  await counts.getByRole('link', { name: /^api_key\.\*/ }).click();
  await expect(box(page)).toHaveValue('action:api_key.*');
  await expect(sentences(page)).toHaveText(['The command line issued API key Reader']);
  await expect(counts.getByRole('link', { name: /api_key\.\*/ })).toHaveAttribute('aria-current', 'true');
  await counts.getByRole('link', { name: /api_key\.\*/ }).click();
  await expect(box(page)).toHaveValue('');

  await page.getByText('As a table').click();
  await page.locator('.histogram').getByRole('link', { name: /^\d+ \w+ \d{4}, \d\d:\d\d$/ }).last().click();
  await expect(box(page)).toHaveValue(/^after:\S+ before:\S+$/);
  await expect(sentences(page).first()).toBeVisible();
});

test('a search that cannot be read is marked, and the list stays', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('audit-log?from=yesterday&outcome=maybe&action=cake.eaten'));
  const message = page.locator('.banner');
  await expect(message).toContainText('The filter could not be read');
  for (const field of ['from', 'outcome', 'action']) await expect(message.getByText(field, { exact: true })).toBeVisible();
  await expect(sentences(page)).toHaveCount(3);

  await page.goto(workspace.path('audit-log'));
  await search(page, 'ana outcome:maybe');
  await expect(message).toContainText('Column 13: One of success, denied, failed stands here.');
  await expect(page.locator('#q-error mark')).toHaveText('maybe');
  await expect(box(page)).toHaveValue('ana outcome:maybe');
  await expect(box(page)).toHaveAttribute('aria-invalid', 'true');
  // What can be read of it is a search, and so an event of hers.
  await expect(sentences(page)).toHaveCount(4);
  await expect(sentences(page).first()).toContainText('searched');
});

test('a view is saved, opens the log, is renamed and removed', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('audit-log'));
  await search(page, 'source:cli');
  await page.getByText('Save this search as a view').click();
  await page.getByLabel('Name').fill('By hand');
  await page.getByLabel('Open the log with it').check();
  await page.getByRole('button', { name: 'Save view' }).click();
  await expect(page.getByText('The view By hand is saved.')).toBeVisible();
  const tabs = page.getByRole('navigation', { name: 'Views' });
  await expect(tabs.getByRole('link', { name: 'By hand' })).toHaveAttribute('aria-current', 'page');

  await page.goto(workspace.path('audit-log'));
  await expect(page).toHaveURL(/q=source%3Acli/);
  await tabs.getByRole('link', { name: 'All events' }).click();
  await expect(sentences(page).first()).toHaveText(/^Ana /);

  await tabs.getByRole('link', { name: 'By hand' }).click();
  await page.getByRole('link', { name: 'Rename or remove this view' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('By the command line');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('By the command line');
  await page.getByRole('button', { name: 'Remove view' }).click();
  await expect(page.getByText('The view By the command line is removed.')).toBeVisible();
  await expect(tabs).toHaveCount(0);
});

test('new events are counted while the list stays, and can be paused', { tag: '@scripts' }, async ({ owner: page, workspace }) => {
  const { key } = await workspace.key('Load');
  await page.goto(workspace.path('audit-log'));
  const before = await sentences(page).allInnerTexts();
  await page.getByRole('link', { name: 'Watch for new events' }).click();
  await expect(page).toHaveURL(/live=1/);
  await workspace.call(key, '/v1/workspace');
  const news = page.getByRole('status').getByRole('link', { name: '1 new event' });
  await expect(news).toBeVisible();
  expect(await sentences(page).allInnerTexts(), 'nothing moves').toEqual(before);
  await news.click();
  await expect(sentences(page).first()).toHaveText('The key Load called the API: GET /v1/workspace');
  await page.getByRole('link', { name: 'Pause' }).click();
  await expect(page).not.toHaveURL(/live/);
  await expect(page.locator('[data-tail]')).toHaveCount(0);
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
  await expect(page, 'the filter stays').toHaveURL(/q=action%3Aapi\.called&older=\d+/);
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
  await expect(page.getByText(`Event #${event.seq}`, { exact: true })).toBeVisible();
  await expect(page.getByText('Role at that time')).toBeVisible();
  await expect(page.getByText('password only', { exact: true })).toBeVisible();
  await expect(page.getByText(event.request_id, { exact: true })).toBeVisible();

  const changes = page.getByRole('table', { name: 'What changed' });
  await expect(changes.getByRole('row', { name: 'scopes' })).toContainText('audit.read');
  await expect(changes.getByRole('row', { name: 'name' })).toContainText('not set');
  const raw: unknown = JSON.parse(await page.locator('pre code').innerText());
  expect(raw).toEqual(await (await workspace.call(reader.key, `/v1/audit-events/${page.url().split('/').pop()}`)).json());
  expect(await page.content()).not.toContain(secret);

  await expect(page.getByRole('link', { name: 'next event' })).toBeVisible();
  await page.getByRole('link', { name: 'previous event' }).click();
  await expect(page.getByText(`Event #${event.seq - 1}`, { exact: true })).toBeVisible();
  await page.goBack();
  await page.getByRole('link', { name: event.actor.id }).click();
  await expect(sentences(page).last()).toHaveText('Ana signed in');
});

test('who is no member is labelled, on a phone as well, and the list says how long it is kept', async ({ owner: page, workspace, operator }) => {
  await workspace.call((await workspace.key('Reader')).key, '/v1/workspace');
  await putOnScale(operator, workspace);

  await page.goto(workspace.path('audit-log'));
  await expect(page.getByText(/^Kept 730 days\. The oldest event is #1, of \d+ \w{3} \d{4}$/)).toBeVisible();
  const by = (sentence: RegExp): Locator => events(page).getByRole('row').filter({ has: page.getByRole('rowheader', { name: sentence }) }).locator('.tag');
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await expect(by(/^Ops changed the plan of/)).toHaveText('send0 staff');
    await expect(by(/^The key Reader called the API/)).toHaveText('API key');
    await expect(by(/^The command line issued API key Reader$/)).toHaveText('command line');
    for (const tag of await by(/^(Ops|The)/).all()) await expect(tag).toBeVisible();
    await expect(by(/^Ana signed in$/), 'most are members: nothing is said of them').toHaveCount(0);
  }

  await sentences(page).filter({ hasText: 'Ops changed the plan of' }).getByRole('link').click();
  await expect(page.locator('.facts .tag')).toHaveText('send0 staff');
  await page.goto(workspace.path('audit-log'));
  await sentences(page).filter({ hasText: 'Ana signed in' }).first().getByRole('link').click();
  await expect(page.locator('.facts .tag'), 'a page of its own says it of everybody').toHaveText('member');
});

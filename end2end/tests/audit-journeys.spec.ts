import { readFile } from 'node:fs/promises';
import { expect, test } from '../support/test';
import { box, downloadable, events, search, sentences } from '../support/audit-log';
import { hydrated } from '../support/forms';
import type { Locator, Page } from '@playwright/test';
import type { Server } from '../support/server';
import type { Workspace } from '../support/workspace';

// Searching -----------------------------------------------------------------------------------------------------------

test('what cannot be read of a search is left out, and the rest of it holds', async ({ owner: page, workspace }) => {
  await workspace.key('Reader');
  const rows = ['The command line issued API key Reader'];
  await page.goto(workspace.path('audit-log'));
  await search(page, 'action:api_key.*');
  await expect(sentences(page)).toHaveText(rows);
  await search(page, 'action:api_key.* outcome:maybe');
  await expect(page.locator('.banner')).toContainText('Column 26: One of success, denied, failed stands here.');
  await expect(page.locator('#q-error mark')).toHaveText('maybe');
  await expect(box(page)).toHaveValue('action:api_key.* outcome:maybe');
  await expect(sentences(page)).toHaveText(rows);
  await page.goto(workspace.path('audit-log?action=api_key.*&from=yesterday'));
  await expect(page.locator('.banner').getByText('from', { exact: true })).toBeVisible();
  await expect(sentences(page)).toHaveText(rows);
  await page.goto(workspace.path('audit-log?to=2020-01-01&q=colour%3Ared'));
  await expect(page.getByText('No events match this filter')).toBeVisible();
});

test('who has left is still offered by name, and found', async ({ owner: page, workspace, javaScriptEnabled }) => {
  await workspace.addMember('Bo Developer', 'developer');
  await page.goto(workspace.path('members'));
  await page.getByRole('main').getByRole('link', { name: 'Bo Developer' }).click();
  await page.getByRole('button', { name: 'Remove member' }).click();
  await expect(page.getByRole('status').first()).toContainText('Bo Developer is no member any more.');
  await page.goto(workspace.path('audit-log'));
  if (javaScriptEnabled) {
    await hydrated(page);
    await box(page).pressSequentially('actor:"bo');
    const offers = page.getByRole('listbox', { name: 'Completions' });
    await expect(offers.getByRole('option')).toHaveText(['actor:"Bo Developer"']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(box(page)).toHaveValue('actor:"Bo Developer" ');
    await page.keyboard.press('Enter');
  } else {
    await search(page, 'actor:"Bo Developer"');
  }
  await expect(page).toHaveURL(/q=actor/);
  await expect(sentences(page).last()).toHaveText(/^Bo Developer /);
});

test('a shared view and its address show others the same, and those who may not read nothing', async ({ owner: page, workspace, newVisitor }) => {
  await workspace.key('Reader');
  const [security, viewer] = [await newVisitor(), await newVisitor()];
  await workspace.signInAs(security, await workspace.addMember('Sam Security', 'security'));
  await workspace.signInAs(viewer, await workspace.addMember('Vi Viewer', 'viewer'));
  await page.goto(workspace.path('audit-log'));
  await search(page, 'source:cli');
  await page.getByText('Save this search as a view').click();
  await page.getByLabel('Name').fill('By hand');
  await page.getByLabel('For everybody who reads the log').check();
  await page.getByRole('button', { name: 'Save view' }).click();
  await expect(page.getByText('The view By hand is saved.')).toBeVisible();
  await expect(sentences(page).first()).toHaveText('The command line issued API key Reader');
  const rows = await sentences(page).allInnerTexts();

  await test.step('by its address', async () => {
    await security.goto(page.url());
    await expect(box(security)).toHaveValue('source:cli');
    await expect(sentences(security)).toHaveText(rows);
  });

  await test.step('by its name', async () => {
    await security.goto(workspace.path('audit-log'));
    await security.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'By hand' }).click();
    await expect(security).toHaveURL(page.url());
    await expect(sentences(security)).toHaveText(rows);
  });

  await test.step('not for everybody', async () => {
    expect((await viewer.goto(page.url()))?.status()).toBe(403);
    await expect(events(viewer)).toHaveCount(0);
  });
});

// Watching ------------------------------------------------------------------------------------------------------------

const news = (page: Page): Locator => page.getByRole('status').getByRole('link', { name: /new event/ });
/** Said once the stream is open. */
const counting = (page: Page): Locator => page.getByText('New events are counted as they come.');

test('paused, nothing is counted; resumed, it catches up', { tag: '@scripts' }, async ({ owner: page, workspace, context }) => {
  const { key } = await workspace.key('Load');
  const called = 'The key Load called the API: GET /v1/workspace';
  await page.goto(workspace.path('audit-log?live=1'));
  await expect(counting(page)).toBeVisible();
  await workspace.call(key, '/v1/workspace');
  await expect(news(page)).toHaveText('1 new event');
  await page.getByRole('link', { name: 'Pause' }).click();
  await expect(page).not.toHaveURL(/live/);
  await expect(sentences(page).first()).toHaveText(called);
  const before = await sentences(page).allInnerTexts();

  // Another tab goes on: when it has counted, this one would have as well.
  const other = await context.newPage();
  await other.goto(workspace.path('audit-log?live=1'));
  await expect(counting(other)).toBeVisible();
  await workspace.call(key, '/v1/workspace');
  await expect(news(other)).toHaveText('1 new event');
  await expect(news(page)).toHaveCount(0);
  expect(await sentences(page).allInnerTexts(), 'nothing moves').toEqual(before);

  await page.getByRole('link', { name: 'Watch for new events' }).click();
  await expect(sentences(page)).toHaveText([called, ...before]);
  await expect(counting(page)).toBeVisible();
  await workspace.call(key, '/v1/workspace');
  await expect(news(page)).toHaveText('1 new event');
});

test('what watches is no news to itself, after each click either', { tag: '@scripts' }, async ({ owner: page, workspace, newVisitor }) => {
  const other = await newVisitor();
  // Before the first count there is one event of somebody else, so that it would be two with one's own.
  await page.route('**/audit-log/tail?*', async (route) => {
    await other.context().clearCookies();
    await workspace.enter(other.request);
    await route.continue();
  });
  for (const query of ['-source:api', 'source:console', `actor:${workspace.email}`]) {
    await page.goto(workspace.path(`audit-log?live=1&q=${encodeURIComponent(query)}`));
    await expect(news(page), query).toHaveText('1 new event');
    const opened = page.waitForRequest(/audit-log\/tail\?/);
    await news(page).click();
    await opened;
    await expect(news(page), `${query}, after a click`).toHaveText('1 new event');
  }
});

test('a tab that gets no place says so, and gets one when there is one', { tag: '@scripts' }, async ({ owner: page, workspace, context, complaints }) => {
  const live = workspace.path('audit-log?live=1');
  const tabs = await Promise.all([1, 2, 3, 4].map(() => context.newPage()));
  for (const tab of tabs) {
    await tab.goto(live);
    await expect(counting(tab)).toBeVisible();
  }
  /** That the server refused the stream is what this is about. */
  const refusals = (): number => {
    const all = complaints.splice(0);
    expect(all.filter((one) => !/tail\?.*: 429$/.test(one))).toEqual([]);
    return all.length;
  };
  await page.goto(live);
  await expect(page.getByRole('status').getByText('New events are not counted any more')).toBeVisible();
  await expect(counting(page)).toBeHidden();
  await expect.poll(refusals).toBe(1);

  await tabs[0].close();
  await expect(async () => {
    await page.getByRole('status').getByRole('link', { name: 'Try again' }).click();
    await expect(counting(page)).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await expect(page.getByText('New events are not counted any more')).toBeHidden();
  refusals();
});

test('until the browser has reached the server again nothing is said to be counted', { tag: '@scripts' }, async ({ owner: page, workspace }) => {
  const body = 'retry: 3000\ndata: 1 new event\n\n';
  await page.route('**/audit-log/tail?*', (route) => route.fulfill({ contentType: 'text/event-stream', body }), { times: 1 });
  await page.goto(workspace.path('audit-log?live=1'));
  await expect(news(page), 'the stream was open, and broke off').toHaveText('1 new event');
  await expect(counting(page)).toBeHidden();
  await expect(counting(page)).toBeVisible();
});

// Exports -------------------------------------------------------------------------------------------------------------

const ofWorkspace = (workspace: Workspace): string => `workspace_id = (select workspace_id from workspace_directory where slug = '${workspace.slug}')`;

/** An export of everything that a worker is writing, who does nothing: it is as far as a test says. */
async function exporting(server: Server, workspace: Workspace): Promise<void> {
  await server.asSuperuser(`insert into audit_exports
    (workspace_id, export_id, requested_by, format, filter, state, first_seq, last_seq, next_seq, attempts, leased_until, created_at)
    select h.workspace_id, gen_random_uuid(), u.user_id, 'csv', '{}'::jsonb, 'running', 1, h.next_seq - 1, 1, 1, 'infinity'::timestamptz, now()
    from audit_heads h, users u where h.${ofWorkspace(workspace)} and u.email = '${workspace.email}'`);
}

/** Up to which event it is written. */
const written = (server: Server, workspace: Workspace, seq: number): Promise<void> =>
  server.asSuperuser(`update audit_exports set next_seq = ${seq} where ${ofWorkspace(workspace)}`);

/** Leaves it to the server's own worker, who writes it anew. */
const handOver = (server: Server, workspace: Workspace): Promise<void> =>
  server.asSuperuser(`update audit_exports set leased_until = 'epoch' where ${ofWorkspace(workspace)}`);

const becomesViewer = (server: Server, workspace: Workspace, email: string): Promise<void> =>
  server.asSuperuser(`update members set role = 'viewer'
    where ${ofWorkspace(workspace)} and user_id = (select user_id from users where email = '${email}')`);

const bar = (page: Page): Locator => page.getByRole('progressbar', { name: 'CSV, asked for by Ana' });
const said = (page: Page, what: string): Locator => page.getByRole('status').filter({ hasText: what });
const DONE = 'The export is done. Its file can be downloaded.';
const done = (page: Page): Locator => said(page, DONE);
/** A mark that is gone with the page that it was made on. */
const mark = (page: Page): Promise<void> => page.evaluate(() => void (document.body.dataset.mark = 'same'));
const marked = (page: Page): Promise<void> => expect(page.locator('body')).toHaveAttribute('data-mark', 'same');

/** The page is as it was, but says nothing that holds no longer. */
async function isLeft(page: Page): Promise<void> {
  await expect(page.locator('#under-way').getByRole('heading')).toHaveText(DONE);
  await expect(page.getByRole('button', { name: 'Cancel the export' })).toBeDisabled();
  await expect(bar(page)).toHaveAttribute('value', (await bar(page).getAttribute('max'))!);
  await expect(page.getByRole('button', { name: 'Download' })).toHaveCount(0);
}

/** As when the tab is another one. */
const hide = (page: Page, hidden: boolean): Promise<void> =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

test('the bar of an export moves under the hands of whoever waits, and the end is said', { tag: '@scripts' }, async ({ owner: page, workspace, server }) => {
  await workspace.key('Reader');
  await exporting(server, workspace);
  await page.goto(workspace.path('audit-log/exports'));
  await mark(page);
  const cancel = page.getByRole('button', { name: 'Cancel the export' });
  await cancel.focus();
  await expect(bar(page)).toHaveAttribute('value', '0');
  const max = await bar(page).getAttribute('max');
  for (const seq of [2, 3]) {
    await written(server, workspace, seq);
    await expect(bar(page)).toHaveAttribute('value', String(seq));
    await expect(page.getByText(`${seq} of ${max} events`, { exact: true })).toBeVisible();
    await expect(cancel).toBeFocused();
  }
  await handOver(server, workspace);
  await expect(done(page)).toBeVisible();
  await expect(cancel, 'the focus stays').toBeFocused();
  await isLeft(page);
  await page.keyboard.press('Enter');
  await marked(page);
  await page.getByRole('link', { name: 'Show it' }).click();
  await expect(page.getByRole('button', { name: 'Download' })).toBeVisible();
  await expect(bar(page)).toHaveCount(0);
});

for (const [what, at] of [
  ['a mouse', (part: Locator) => part.hover()],
  ['a selection', (part: Locator) => part.selectText()],
] as const) {
  test(`what is under ${what} stays when an export ends`, { tag: '@scripts' }, async ({ owner: page, workspace, server }) => {
    await exporting(server, workspace);
    await page.goto(workspace.path('audit-log/exports'));
    await at(page.getByText('The next one can begin when it is done.'));
    await handOver(server, workspace);
    await expect(done(page).getByRole('link', { name: 'Show it' })).toBeVisible();
    await isLeft(page);
  });
}

test('who may not see an export any more is told so, and the server is not asked again', { tag: '@scripts' }, async ({ workspace, server, newVisitor, complaints }) => {
  const { key } = await workspace.key('Reader');
  const [page, email] = [await newVisitor(), await workspace.addMember('Sam Security', 'security')];
  await workspace.signInAs(page, email);
  await exporting(server, workspace);
  await page.clock.install();
  await page.goto(workspace.path('audit-log/exports'));
  await expect(bar(page)).toBeVisible();
  await becomesViewer(server, workspace, email);
  await expect(said(page, 'How far the export is cannot be seen any more.').getByRole('link', { name: 'Refresh' })).toBeVisible();
  await page.clock.fastForward('05:00');
  const all = await workspace.events(key);
  expect(all.filter(({ outcome }) => outcome === 'denied')).toHaveLength(1);
  expect(complaints.splice(0)).toEqual([expect.stringMatching(/audit-log\/exports: 403$/)]);
});

test('a server that does not answer is asked again', { tag: '@scripts' }, async ({ owner: page, workspace, server, complaints }) => {
  await exporting(server, workspace);
  await page.goto(workspace.path('audit-log/exports'));
  await page.route('**/audit-log/exports', (route) => route.fulfill({ status: 503 }), { times: 1 });
  await expect(said(page, 'The server does not answer. It is asked again.')).toBeVisible();
  await handOver(server, workspace);
  await expect(done(page)).toBeVisible();
  expect(complaints.splice(0)).toEqual([expect.stringMatching(/audit-log\/exports: 503$/)]);
});

test('an export is looked at while somebody looks, and not for ever', { tag: '@scripts' }, async ({ owner: page, workspace, server }) => {
  await exporting(server, workspace);
  await page.clock.install();
  await page.goto(workspace.path('audit-log/exports'));
  await hydrated(page);
  await hide(page, true);
  await written(server, workspace, 2);
  await page.clock.fastForward('01:00');
  await expect(bar(page)).toHaveAttribute('value', '0');
  await hide(page, false);
  await expect(bar(page)).toHaveAttribute('value', '2');
  await page.clock.fastForward('11:00');
  await expect(said(page, 'It takes longer than usual.').getByRole('link', { name: 'Refresh' })).toBeVisible();
});

test('to whoever does nothing an export is shown when it is done', { tag: '@scripts' }, async ({ owner: page, workspace, server }) => {
  await exporting(server, workspace);
  await page.goto(workspace.path('audit-log/exports'));
  await mark(page);
  await expect(bar(page)).toBeVisible();
  await handOver(server, workspace);
  await expect(page.getByRole('button', { name: 'Download' })).toBeVisible();
  await expect(done(page)).toBeVisible();
  await expect(bar(page)).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Export', exact: true }), 'the next one can begin').toBeVisible();
  await marked(page);
});

test('an export is cancelled by keyboard', async ({ owner: page, workspace, server }) => {
  await exporting(server, workspace);
  await written(server, workspace, 2);
  await page.goto(workspace.path('audit-log/exports'));
  await expect(bar(page)).toHaveAttribute('value', '2');
  await expect(page.getByRole('link', { name: 'Refresh' })).toBeVisible();
  await page.getByRole('button', { name: 'Cancel the export' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByText('The export is cancelled. Nothing of it is kept.')).toBeVisible();
  await expect(bar(page)).toHaveCount(0);
  await expect(page.locator('#earlier')).toContainText('cancelled');
  await expect(page.getByRole('button', { name: 'Download' })).toHaveCount(0);
  await page.goto(workspace.path('audit-log?action=audit_log.export_cancelled'));
  await expect(sentences(page)).toHaveText([/^Ana cancelled the export/]);
});

/** The cells of a line of CSV (RFC 4180). */
const cells = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare);

test('no cell of an exported table is a formula', async ({ owner: page, workspace, javaScriptEnabled }) => {
  const names = ['=HYPERLINK("//x.example","y")', '+1+1', '@SUM(A1)'];
  for (const name of names) await workspace.key(name);
  await page.goto(workspace.path('audit-log/exports?q=action%3Aapi_key.*'));
  await page.getByRole('radio', { name: /^CSV/ }).check();
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await downloadable(page, javaScriptEnabled);
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  const text = await readFile(await (await coming).path(), 'utf8');
  const [head, ...rows] = text.trimEnd().split('\r\n').map(cells);
  const column = head.indexOf('target_names');
  expect(rows.map((row) => row[column])).toEqual(names.map((name) => expect.stringContaining(`'${name}`)));
  expect(rows.flat().filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
});

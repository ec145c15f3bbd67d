import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from '../support/test';
import { downloadable } from '../support/audit-log';

test('what the list shows is exported as a file, with its hash and its receipt', async ({ owner: page, workspace, javaScriptEnabled }) => {
  const key = await workspace.key('Reader');
  await workspace.call(key.key, '/v1/workspace');
  await page.goto(workspace.path('audit-log?action=api_key.*'));
  await page.getByRole('link', { name: 'Export', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Exports');
  await expect(page.getByText('The events with action:api_key.*')).toBeVisible();
  await page.getByRole('radio', { name: /^CSV/ }).check();
  await page.getByRole('button', { name: 'Export' }).click();

  await test.step('it is written while one waits, and shown when it is done', async () => {
    await downloadable(page, javaScriptEnabled);
  });

  await test.step('the file is what the page says', async () => {
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toMatch(/^audit-log-1-\d+\.csv$/);
    const bytes = await readFile(await download.path());
    const hash = createHash('sha256').update(bytes).digest('hex');
    await expect(page.getByText(hash)).toBeVisible();
    const lines = bytes.toString().trimEnd().split('\r\n');
    expect(lines[0]).toContain('seq,time,id');
    expect(lines).toHaveLength(2);
  });

  await test.step('the log says who took it out', async () => {
    await page.goto(workspace.path('audit-log?action=audit_log.*'));
    await expect(page.getByRole('link', { name: 'Ana downloaded the export' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Ana exported the audit log' })).toBeVisible();
  });
});

test('a program reads the log as a stream', async ({ workspace }) => {
  const { key } = await workspace.key('SIEM', 'restricted', ['audit.export']);
  const answer = await workspace.call(key, '/v1/audit-log/export');
  expect(answer.headers()['content-type']).toBe('application/x-ndjson');
  const lines = (await answer.text()).trimEnd().split('\n').map((line) => JSON.parse(line));
  const { receipt } = lines.pop();
  expect(lines.map((line) => line.seq)).toEqual(lines.map((_, place) => place + 1));
  expect(receipt).toMatchObject({ query: null, first: 1, last: lines.length, count: lines.length });
  expect(receipt.checkpoint).toContain('send0.dev/audit-log');
});

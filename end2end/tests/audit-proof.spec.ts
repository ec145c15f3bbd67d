import { readFile } from 'node:fs/promises';
import { expect, test } from '../support/test';
import { PASSWORD } from '../support/password';
import { Server } from '../support/server';

test('the log says how far it is verified', async ({ owner: page, workspace }) => {
  await workspace.key('Reader');
  await page.goto(workspace.path('audit-log'));
  const newest = Number(await page.getByRole('table', { name: 'Audit events' }).locator('td.num').first().innerText());
  // The checker comes by every few seconds.
  await expect(async () => {
    await page.reload();
    const badge = await page.locator('#proof').innerText();
    expect(Number(/verified to event #(\d+)/.exec(badge)?.[1] ?? 0)).toBeGreaterThanOrEqual(newest);
  }).toPass({ timeout: 30_000 });
  await page.locator('#proof').getByRole('link', { name: 'Public key' }).click();
  await expect(page.locator('body')).toContainText('send0.dev/audit-log+');
});

test('a checkpoint and the proof of an event are taken along as files', async ({ owner: page, workspace }) => {
  const proof = page.locator('#proof');
  const take = async (name: string): Promise<[string, string]> => {
    const coming = page.waitForEvent('download');
    await proof.getByRole('link', { name }).click();
    const download = await coming;
    return [download.suggestedFilename(), (await readFile(await download.path())).toString()];
  };
  await expect(async () => {
    await page.goto(workspace.path('audit-log'));
    await expect(proof.getByRole('link', { name: 'Newest checkpoint' })).toBeVisible({ timeout: 1000 });
  }).toPass({ timeout: 30_000 });
  const [name, note] = await take('Newest checkpoint');
  expect(name).toBe(`checkpoint-${note.split('\n')[1]}.txt`);
  expect(note).toContain('send0.dev/audit-log');

  await page.getByRole('link', { name: 'The command line created workspace Acme' }).click();
  await expect(page.getByText('Event #1', { exact: true })).toBeVisible();
  const [file, json] = await take('Proof of this event');
  expect(file).toBe('event-1-proof.json');
  expect(JSON.parse(json)).toMatchObject({ id: page.url().split('/').pop(), seq: 1, index: 0 });
});

test('an event that is not as it was sealed turns the badge and is named', async ({ browser }) => {
  test.setTimeout(180_000);
  // A server of its own: what is done to it is an error in its log, as it should be.
  const server = await Server.start();
  try {
    const words = ['owner', 'create', '--email', 'ana@example.com', '--workspace', 'Acme', '--name', 'Ana'];
    await server.command(words, `${PASSWORD}\n`);
    const page = await (await browser.newContext({ baseURL: server.url })).newPage();
    await page.goto('/sign-in');
    await page.getByLabel('Mail address').fill('ana@example.com');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.goto('/w/acme/audit-log');
    await expect(async () => {
      await page.reload();
      await expect(page.locator('#proof')).toContainText('verified to event', { timeout: 1000 });
    }).toPass({ timeout: 30_000 });
    const tamper = (set: string, seq: number) =>
      server.asSuperuser(`begin; alter table audit_events disable trigger all; update audit_events set ${set}
        where seq = ${seq} and workspace_id = (select workspace_id from workspace_directory where slug = 'acme');
        alter table audit_events enable always trigger append_only, enable always trigger never_truncated; commit`);
    await tamper("at = at - interval '1 hour'", 1);
    await page.reload();
    await expect(page.locator('#proof')).toContainText('Event #1 is not as it was sealed.');
    // Written down in the log itself, too, once the checker has come by.
    await expect(async () => {
      await page.reload();
      await expect(page.getByRole('table', { name: 'Audit events' })).toContainText('found that the audit log is not as it was sealed', { timeout: 1000 });
    }).toPass({ timeout: 90_000 });
    // Nor does one that nobody can read any more hide what stands around it.
    await tamper("body = 'x'", 2);
    await page.reload();
    await page.getByRole('row').filter({ has: page.getByRole('cell', { name: '2', exact: true }) }).getByRole('link').click();
    await expect(page.getByText('Event #2', { exact: true })).toBeVisible();
    await expect(page.getByText('unreadable', { exact: true })).toBeVisible();
    const checked = await server.command<{ problem: string | null }>(['audit', 'check']).catch((error: Error) => error.message);
    expect(checked).toContain('not as they were signed');
    await page.context().close();
  } finally {
    await server.stop();
  }
});

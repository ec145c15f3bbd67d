import { expect, test } from '../support/test';
import { issueKey, shownKey, summary } from '../support/forms';

test('a key: issued, shown once, used, revoked, refused, and all of it in the log', async ({ owner: page, workspace, javaScriptEnabled }) => {
  await test.step('issued from the empty list', async () => {
    await page.getByRole('navigation', { name: 'Workspace' }).getByRole('link', { name: 'API keys' }).click();
    await expect(page.getByText('No API keys yet')).toBeVisible();
    await page.getByRole('link', { name: 'Issue the first key' }).click();
  });
  const reveal = page.waitForResponse((answer) => answer.url().endsWith('/secret'));
  await issueKey(page, { name: 'CI deploy', scopes: ['workspace.read', 'keys.read'], lifetime: '30' });
  expect((await reveal).headers()['cache-control']).toBe('no-store');
  const key = await shownKey(page);
  const secretPage = page.url();
  await expect(page.locator('.code')).toContainText(`Authorization: Bearer ${key}`);

  await expect(page.getByRole('button', { name: 'Copy key' }), 'a button that does nothing is not shown').toBeVisible({ visible: javaScriptEnabled });

  await test.step('it works', async () => {
    const answer = await workspace.call(key, '/v1/workspace');
    expect(answer.status()).toBe(200);
    expect(answer.headers()['x-request-id']).toMatch(/^req_/);
    expect(await answer.json()).toMatchObject({ slug: workspace.slug, key: { kind: 'restricted', scopes: ['workspace.read', 'keys.read'] } });
  });

  await test.step('it is shown once: gone on reload and on Back', async () => {
    await page.reload();
    await expect(page.getByText('cannot be shown again')).toBeVisible();
    expect(await page.content()).not.toContain(key);
    await page.getByRole('link', { name: 'Go to the key' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('CI deploy');
    await page.goBack();
    await expect(page).toHaveURL(secretPage);
    await expect(page.getByText('cannot be shown again')).toBeVisible();
    expect(await page.content()).not.toContain(key);
  });

  await test.step('the list shows what may be shown', async () => {
    await page.goto(workspace.path('api-keys'));
    const row = page.getByRole('row', { name: 'CI deploy' });
    await expect(row).toContainText(`sk_restr_…${key.slice(-4)}`);
    await expect(row).toContainText('2 scopes');
    await expect(row).toContainText('Ana');
    await expect(row).toContainText('active');
    expect(await page.content()).not.toContain(key);
  });

  await test.step('it is revoked with a reason', async () => {
    await page.getByRole('link', { name: 'CI deploy' }).click();
    await page.getByLabel('Reason').fill('The laptop was lost');
    await page.getByRole('button', { name: 'Revoke key' }).click();
    await expect(page.getByRole('status')).toContainText('The key is revoked.');
    await expect(page.getByText('The laptop was lost')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Revoke key' })).toHaveCount(0);
  });

  await test.step('its next call is refused', async () => {
    const answer = await workspace.call(key, '/v1/workspace');
    expect(answer.status()).toBe(401);
    expect(answer.headers()['content-type']).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ code: 'revoked_key', request_id: answer.headers()['x-request-id'] });
  });

  await test.step('the log has it all, without a gap and without the key', async () => {
    await page.goto(workspace.path('audit-log'));
    const sentences = await page.getByRole('table').getByRole('rowheader').allInnerTexts();
    expect(sentences.reverse()).toEqual([
      'The command line created workspace Acme',
      expect.stringMatching(/member Ana$/),
      'Ana signed in',
      'Ana issued API key CI deploy',
      'The key CI deploy called the API: GET /v1/workspace',
      'Ana revoked API key CI deploy',
      expect.stringMatching(/^The key CI deploy called the API: GET \/v1\/workspace.*revoked key$/),
    ]);
    expect(await page.content()).not.toContain(key);
    const events = await workspace.events((await workspace.key('Reader')).key);
    expect(events.map((event) => event.seq)).toEqual(Array.from(events, (_, place) => events.length - place));
    expect(JSON.stringify(events)).not.toContain(key);
    const refusal = events.find((event) => event.reason === 'revoked_key');
    expect(refusal).toMatchObject({ action: 'api.called', outcome: 'denied', actor: { kind: 'api_key', name: 'CI deploy' } });
  });
});

for (const { kind, prefix, scopes } of [
  { kind: 'Live', prefix: 'sk_live_', scopes: 'all' },
  { kind: 'Test', prefix: 'sk_test_', scopes: '1 scope' },
] as const) {
  test(`a ${kind.toLowerCase()} key works at once`, async ({ owner: page, workspace }) => {
    await page.goto(workspace.path('api-keys/new'));
    await issueKey(page, { name: 'Billing', kind });
    const key = await shownKey(page);
    expect(key.startsWith(prefix)).toBe(true);
    expect((await workspace.call(key, '/v1/workspace')).status()).toBe(200);
    await page.getByRole('link', { name: 'I have stored it' }).click();
    await expect(page.getByText(`${kind.toLowerCase()} messages`)).toBeVisible();
    await page.goto(workspace.path('api-keys'));
    await expect(page.getByRole('row', { name: 'Billing' })).toContainText(scopes);
  });
}

test('a refused form says why and keeps what was chosen', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('api-keys/new'));
  await issueKey(page, { name: 'CI deploy', mode: 'test', lifetime: '90' });
  await expect(summary(page)).toContainText('Choose at least one scope');
  await expect(summary(page)).toBeFocused();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('CI deploy');
  await expect(page.getByRole('radio', { name: 'Restricted' })).toBeChecked();
  await expect(page.getByLabel('Messages that a restricted key sees')).toHaveValue('test');
  await expect(page.getByLabel('Expires')).toHaveValue('90');
  await issueKey(page, { name: 'CI deploy', scopes: ['audit.read'] });
  await shownKey(page);
});

test('a key can do no more than its scopes', async ({ workspace }) => {
  const { key } = await workspace.key('Narrow', 'restricted', ['workspace.read']);
  const answer = await workspace.call(key, '/v1/audit-events');
  expect(answer.status()).toBe(403);
  expect(await answer.json()).toMatchObject({ code: 'missing_scope', required_scope: 'audit.read' });
});

test('a name is text, whatever it looks like', async ({ owner: page, workspace }) => {
  const name = '</title><script>alert(1)</script><leptos-island>&amp;';
  await page.goto(workspace.path('api-keys/new'));
  await issueKey(page, { name, scopes: ['workspace.read'] });
  await shownKey(page);
  for (const rest of ['api-keys', 'audit-log', '']) {
    await page.goto(workspace.path(rest));
    await expect(page.getByRole('rowheader', { name }).first(), rest).toBeVisible();
  }
});

test('the list says who issued a key and when it was used', async ({ owner: page, workspace }) => {
  const { key } = await workspace.key('Reader');
  await page.goto(workspace.path('api-keys'));
  const row = page.getByRole('row', { name: 'Reader' });
  await expect(row).toContainText('command line');
  await expect(row).toContainText('never');
  expect((await workspace.call(key, '/v1/workspace')).status()).toBe(200);
  // Last uses are written down together, every few seconds.
  await expect(async () => {
    await page.reload();
    await expect(row).toContainText(/just now|s ago/, { timeout: 1 });
  }).toPass();
});

import { expect, test } from '../support/test';
import { Workspace } from '../support/workspace';
import type { APIResponse, Response } from '@playwright/test';

const requestId = (answer: Response | APIResponse | null): string => answer?.headers()['x-request-id'] ?? 'none';

test('what is not there says so, with the id of the request', async ({ owner: page, workspace }) => {
  const nothing = ['/nothing/here', workspace.path('nothing'), '/w/somebody-elses', workspace.path('api-keys/key_x'), workspace.path('audit-log/evt_x')];
  for (const path of nothing) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(404);
    await expect(page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();
    expect(requestId(answer)).toMatch(/^req_/);
    await expect(page.getByText(requestId(answer))).toBeVisible();
    await expect(page, path).toHaveTitle(/^There is nothing here/);
  }
});

test('another workspace is as unknown as none', async ({ owner: page, workspace, newVisitor, server, request, browser }) => {
  const other = await Workspace.create(server, request, browser, 'Birch', `bo-${workspace.email}`);
  const key = await other.key('Theirs');
  for (const path of [other.path(), other.path('audit-log'), workspace.path(`api-keys/${key.id}`)]) {
    expect((await page.goto(path))?.status(), path).toBe(404);
    await expect(page.getByText('Birch')).toHaveCount(0);
    await expect(page.getByText('Theirs')).toHaveCount(0);
  }
  const visitor = await newVisitor();
  await other.signIn(visitor);
  expect((await visitor.goto(other.path(`api-keys/${key.id}`)))?.status()).toBe(200);
});

test('a form from another site is refused with a page', async ({ page, server, request }) => {
  await page.goto('/sign-in');
  const action = await page.locator('form').first().getAttribute('action');
  const headers = { origin: 'https://evil.example', accept: 'text/html' };
  const answer = await request.post(`${server.url}${action}`, { headers, form: { email: 'ana@example.com', password: 'x' } });
  expect(answer.status()).toBe(403);
  await page.setContent(await answer.text());
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('This was refused');
  await expect(page.getByText(requestId(answer))).toBeVisible();
  await expect(page.locator('link[rel=stylesheet]')).toHaveCount(1);
});

test('every page says what browsers may do with it', async ({ owner: page, workspace }) => {
  for (const path of ['/sign-in', workspace.path(), workspace.path('api-keys'), workspace.path('audit-log'), '/nothing']) {
    const headers = (await page.goto(path))!.headers();
    expect(headers['content-security-policy'], path).toMatch(/^default-src 'none'; script-src 'nonce-/);
    expect(headers['cache-control'], path).toBe('no-store');
    expect(headers['x-content-type-options'], path).toBe('nosniff');
    expect(headers['referrer-policy'], path).toBe('same-origin');
  }
});

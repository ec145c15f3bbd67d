import { expect, type APIRequestContext, type Page } from '@playwright/test';
import { PASSWORD } from './password';

type NewKey = { name: string; kind?: 'Restricted' | 'Test' | 'Live'; scopes?: string[]; mode?: string; lifetime?: string };

/** Fills in and sends the form for a new key, which the page shows. */
export async function issueKey(page: Page, { name, kind = 'Restricted', scopes = [], mode, lifetime }: NewKey): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('radio', { name: kind }).check();
  for (const scope of scopes) await page.getByRole('checkbox', { name: scope }).check();
  if (mode) await page.getByLabel('Messages that a restricted key sees').selectOption(mode);
  if (lifetime) await page.getByLabel('Expires').selectOption(lifetime);
  await page.getByRole('button', { name: 'Issue key' }).click();
}

/** The key on the page that shows it once. */
export async function shownKey(page: Page): Promise<string> {
  await expect(page).toHaveURL(/\/secret$/);
  const key = await page.locator('.secret-value').innerText();
  expect(key).toMatch(/^sk_(live|test|restr)_\w{20,}$/);
  return key;
}

/** The island code runs. */
export async function hydrated(page: Page): Promise<void> {
  await expect(page.locator('html')).toHaveAttribute('data-islands', 'ready');
}

/** The summary of what was wrong with a form. */
export function summary(page: Page) {
  return page.locator('form').getByRole('alert');
}

/** Where a form leads that is refused: both answers are a 303. */
const REFUSED = '/refused';

/** Sends a form as its page does, but without the page: what comes before what a test is about. */
export async function send(request: APIRequestContext, name: string, form: Record<string, string>): Promise<void> {
  const headers = { accept: 'text/html', 'sec-fetch-site': 'same-origin' };
  const answer = await request.post(`/_fn/app/${name}`, { form: { ...form, _back: REFUSED }, headers, maxRedirects: 0 });
  expect(answer.status(), `${name}: ${await answer.text()}`).toBe(303);
  // By itself, or behind the question who it is.
  expect(answer.headers().location, `${name} is accepted`).not.toContain(REFUSED.slice(1));
}

/** Signs in without the page for it. */
export async function enter(request: APIRequestContext, email: string): Promise<void> {
  await send(request, 'accounts/server_fns/sign_in', { email, password: PASSWORD });
}

import { createHmac } from 'node:crypto';
import { expect, type APIRequestContext, type Page } from '@playwright/test';
import { send } from './forms';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export const step = (): number => Math.floor(Date.now() / 30_000);

/** The code of a seed at a step, as an authenticator app computes it (RFC 6238). */
export function totp(seed: string, at = step()): string {
  const bits = [...seed.replace(/\s/g, '')].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(at));
  const hash = createHmac('sha1', key).update(counter).digest();
  const offset = hash[hash.length - 1] & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A code opens once: the next one comes with the next step. */
export async function nextStep(after: number): Promise<void> {
  await expect.poll(step, { timeout: 40_000 }).toBeGreaterThan(after);
}

/** Sets an app up, as far as the seed and the codes. */
export async function enrol(page: Page): Promise<{ seed: string; codes: string[]; confirmedAt: number }> {
  await page.goto('/account/security');
  await page.getByRole('button', { name: 'Set up an app' }).click();
  await page.getByRole('button', { name: 'Show my recovery codes' }).click();
  const codes = await page.locator('.codes code').allInnerTexts();
  expect(codes).toHaveLength(10);
  await page.getByRole('link', { name: 'I have saved them' }).click();
  await expect(page.getByRole('img', { name: 'QR code' })).toBeVisible();
  const seed = await page.locator('.enrol-key').innerText();
  await page.getByLabel('Code that the app shows').fill('000000');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByText('This is not the present code of the app').first()).toBeVisible();
  const confirmedAt = step();
  await page.getByLabel('Code that the app shows').fill(totp(seed));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByText('The app is a factor now')).toBeVisible();
  return { seed, codes, confirmedAt };
}

/** Sets an app up without the pages for it. */
export async function enrolAside(request: APIRequestContext): Promise<void> {
  await send(request, 'two_factor/server_fns/begin_app', {});
  await send(request, 'two_factor/server_fns/make_recovery_codes', {});
  const page = await (await request.get('/account/security/app')).text();
  const seed = /enrol-key"[^>]*>([^<]+)</.exec(page)?.[1];
  expect(seed, 'the page shows the key of the app').toBeDefined();
  await send(request, 'two_factor/server_fns/confirm_app', { code: totp(seed!) });
}

import { createHmac } from 'node:crypto';
import { expect } from '@playwright/test';

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

import { createHmac } from 'node:crypto';
import { expect, test } from '../support/test';
import { summary } from '../support/forms';
import { Target } from '../support/target';

/** What Standard Webhooks says of a signature, by hand. */
function signature(secret: string, id: string, at: string, body: string): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`;
}


test('a stream is made, tried, paused, fails, recovers and goes', async ({ owner: page, workspace }) => {
  const target = await Target.start();
  let secret = '';
  await test.step('nothing yet; what is wrong is said beside the fields', async () => {
    await page.goto(workspace.path('streams'));
    await expect(page.getByText('No streams yet')).toBeVisible();
    await page.getByRole('link', { name: 'New stream' }).click();
    await page.getByRole('link', { name: 'HTTPS, signed' }).click();
    await page.getByLabel('Name', { exact: true }).fill('SIEM');
    await page.getByLabel('Address').fill('https://169.254.169.254/latest/meta-data');
    await page.getByRole('button', { name: 'Make the stream' }).click();
    await expect(summary(page)).toContainText('not on the public internet');
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('SIEM');
  });
  await test.step('it begins, and its secret is shown once', async () => {
    await page.getByLabel('Address').fill(target.url);
    await page.getByLabel('First event').fill('1');
    await page.getByRole('button', { name: 'Make the stream' }).click();
    await expect(page).toHaveURL(/\/streams\/str_\w{26}\/secret$/);
    secret = await page.locator('.secret-value').innerText();
    await page.getByRole('link', { name: 'I have stored it' }).click();
    await page.goBack();
    await expect(page.getByText('was shown once and cannot be shown again')).toBeVisible();
    await page.getByRole('link', { name: 'Go to the stream' }).click();
  });
  await test.step('everything arrives, in order and signed', async () => {
    await expect(async () => {
      await page.reload();
      await expect(page.getByText('up to date')).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 20_000 });
    expect(target.seqs).toEqual(target.seqs.map((_, place) => place + 1));
    for (const { headers, body } of target.sent) {
      const [id, at] = [String(headers['webhook-id']), String(headers['webhook-timestamp'])];
      expect(headers['webhook-signature']).toBe(signature(secret, id, at, body));
    }
  });
  await test.step('a sample shows what the target answers', async () => {
    target.answer = { status: 403, body: '<b>wrong token</b>' };
    await page.getByRole('button', { name: 'Send a sample' }).click();
    await expect(summary(page)).toContainText('It answered 403: <b>wrong token</b>');
  });
  await test.step('it fails, waits and goes on without a loss', async () => {
    await workspace.key('News');
    await expect(async () => {
      await page.reload();
      await expect(page.getByText('The stream is failing')).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 20_000 });
    await page.getByRole('button', { name: 'Pause the stream' }).click();
    await expect(page.getByText('The stream is paused.')).toBeVisible();
    target.answer = { status: 200, body: 'ok' };
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect(page.getByText('The stream goes on where it stopped.')).toBeVisible();
    await expect(async () => {
      await page.reload();
      await expect(page.getByText('up to date')).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 20_000 });
    expect([...new Set(target.seqs)]).toEqual([...new Set(target.seqs)].map((_, place) => place + 1));
  });
  await test.step('it goes with its name typed', async () => {
    await page.getByLabel('Type the name of the stream').fill('siem');
    await page.getByRole('button', { name: 'Remove stream' }).click();
    await expect(summary(page)).toContainText('not the name of the stream');
    await page.getByLabel('Type the name of the stream').fill('SIEM');
    await page.getByRole('button', { name: 'Remove stream' }).click();
    await expect(page.getByText('The stream SIEM is removed.')).toBeVisible();
    await expect(page.getByText('No streams yet')).toBeVisible();
  });
  target.stop();
});

import { expect, test } from '../support/test';
import { putOnScale } from '../support/operator';

test('a shorter time for the log waits a week, and is called off', async ({ owner: page, workspace, operator }) => {
  await page.goto(workspace.path('retention'));
  await expect(page.getByText('365 days (a year)').first()).toBeVisible();

  await test.step('the plan says what may be chosen', async () => {
    await putOnScale(operator, workspace);
    await page.reload();
    await expect(page.getByRole('row').filter({ hasText: '730 days (2 years) (as it is)' })).toContainText('nothing');
  });

  await test.step('whoever shortens it types the name', async () => {
    await page.getByLabel('Keep the audit log for').selectOption('365');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.locator('#confirm-error')).toContainText(`Type ${workspace.slug}`);
    await expect(page.getByLabel('Keep the audit log for')).toHaveValue('365');
    await page.getByLabel("The workspace's name in URLs").fill(workspace.slug);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByText('A shorter time waits: 365 days (a year)')).toBeVisible();
  });

  await test.step('and anybody who may can call it off', async () => {
    await page.getByRole('button', { name: 'Keep 730 days' }).click();
    await expect(page.getByText('Called off. The log is kept for 730 days.')).toBeVisible();
    await expect(page.getByText('A shorter time waits')).toHaveCount(0);
  });
});

test('a legal hold keeps the log, and an owner releases it', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('retention'));
  await page.getByLabel('Name of the hold').fill('Matter 12/2026');
  await page.getByRole('button', { name: 'Place legal hold' }).click();
  await expect(page.getByText('Under a legal hold: Matter 12/2026')).toBeVisible();

  await test.step('the log says who placed it', async () => {
    await page.getByRole('link', { name: 'Matter 12/2026' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Matter 12/2026');
    await page.getByRole('link', { name: 'What the audit log says of it' }).click();
    await expect(page.getByRole('row').filter({ hasText: 'placed the legal hold' })).toHaveCount(1);
    await page.goBack();
  });

  await test.step('whoever releases it types its name', async () => {
    await page.getByLabel('The name of the hold').fill('Matter 12');
    await page.getByRole('button', { name: 'Release legal hold' }).click();
    await expect(page.locator('#confirm-error')).toContainText('Type Matter 12/2026');
    await page.getByLabel('The name of the hold').fill('Matter 12/2026');
    await page.getByRole('button', { name: 'Release legal hold' }).click();
    await expect(page.getByText('Matter 12/2026 is released.')).toBeVisible();
    await expect(page.getByText('Under a legal hold')).toHaveCount(0);
    await expect(page.getByRole('row').filter({ hasText: 'Matter 12/2026' })).toContainText('released');
  });
});

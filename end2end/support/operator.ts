import { expect, type Page } from '@playwright/test';
import { enter } from './forms';
import { enrolAside } from './totp';
import type { Workspace } from './workspace';

/** A day so many days from now, as a date field has it. */
export function day(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** Signs in as one of send0's staff, who sets up a second factor. Ends at the operators' console. */
export async function signInAsOperator(page: Page, email: string): Promise<void> {
  await enter(page.request, email);
  await enrolAside(page.request);
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Subprocessors');
}

/** Puts the workspace on Scale as the operator. */
export async function putOnScale(page: Page, workspace: Workspace): Promise<void> {
  await page.goto('/operator/workspaces');
  await page.getByRole('row').filter({ has: page.getByText(workspace.slug, { exact: true }) }).getByRole('link').click();
  await page.getByLabel('Plan', { exact: true }).selectOption('scale');
  await page.getByLabel('Why').fill('They have outgrown it.');
  await page.getByRole('button', { name: 'Change the plan' }).click();
  await expect(page.getByText('On Scale from now on.')).toBeVisible();
}

/** Drafts a new subprocessor as the operator. */
export async function draft(page: Page, vendor: string, days: number): Promise<void> {
  await page.goto('/operator/subprocessors/new');
  await page.getByLabel('Vendor').fill(vendor);
  await page.getByLabel('Purpose').fill('Delivery of mail');
  await page.getByLabel('Data').fill('Messages in transit');
  await page.getByLabel('Regions').fill('eu-west-1\nus-east-1');
  await page.getByLabel('Why').fill('A second way out.');
  await page.getByLabel('In effect from').fill(day(days));
  await page.getByRole('button', { name: 'Save the draft' }).click();
}

/** Publishes a new subprocessor as an operator, in a browser of its own, and waits until the workspace has been told. */
export async function announce(page: Page, workspace: Workspace, vendor: string): Promise<void> {
  const operator = await workspace.operatorPage();
  await draft(operator, vendor, 40);
  await operator.getByRole('button', { name: 'Publish' }).click();
  await expect(operator.getByText('Published. Every workspace is told now.')).toBeVisible();
  await operator.context().close();
  await expect(async () => {
    await page.goto(workspace.path('notices'));
    await expect(page.getByRole('link', { name: vendor })).toBeVisible({ timeout: 500 });
  }).toPass();
}

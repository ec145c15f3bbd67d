import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../support/test';
import { summary } from '../support/forms';
import { announce } from '../support/operator';
import { ANNOUNCES } from '../support/pages';

const sentences = (page: Page): Locator => page.getByRole('table').getByRole('rowheader');
const section = (page: Page, name: string): Locator => page.getByRole('navigation', { name: 'Workspace' }).getByRole('link', { name, exact: true });

test('an operator puts a workspace on another plan, and both sides know', async ({ operator, owner: page, workspace }) => {
  await test.step('the workspace reads what it is on', async () => {
    await page.goto(workspace.path('settings'));
    await expect(page.locator('#plan')).toContainText('Free');
    await expect(page.locator('#plan')).toContainText('up to 5');
    await expect(page.locator('#plan')).toContainText('No member and no key is refused because of it yet.');
  });

  await test.step('the operator finds it, and how much there is of it', async () => {
    await section(operator, 'Workspaces').click();
    await expect(operator.getByRole('heading', { level: 1 })).toHaveText('Workspaces');
    await expect(section(operator, 'Workspaces')).toHaveAttribute('aria-current', 'page');
    await expect(section(operator, 'Subprocessors')).not.toHaveAttribute('aria-current', 'page');
    const row = operator.getByRole('row').filter({ has: operator.getByText(workspace.slug, { exact: true }) });
    await expect(row).toContainText('Free');
    await row.getByRole('link').click();
    await expect(operator.getByRole('heading', { level: 1 })).toHaveText(workspace.name);
    await expect(section(operator, 'Workspaces')).toHaveAttribute('aria-current', 'page');
    await expect(operator.getByText('1 of 5', { exact: true })).toBeVisible();
  });

  await test.step('the plan that it is on is refused, and the reason stays', async () => {
    await operator.getByLabel('Why').fill('They have outgrown it.');
    await operator.getByRole('button', { name: 'Change the plan' }).click();
    await expect(summary(operator)).toBeVisible();
    await expect(operator.locator('#plan-error')).toContainText('It is on Free already.');
    await expect(operator.getByLabel('Why')).toHaveValue('They have outgrown it.');
  });

  await test.step('another one is told to the contacts and shown', async () => {
    await operator.getByLabel('Plan', { exact: true }).selectOption('growth');
    await operator.getByRole('button', { name: 'Change the plan' }).click();
    await expect(operator.getByText('On Growth from now on. The contacts of the workspace are told.')).toBeVisible();
    await expect(operator.getByText('1 of 25', { exact: true })).toBeVisible();
    await page.reload();
    await expect(page.locator('#plan')).toContainText('Growth');
    await page.goto('/dev/mailbox');
    await expect(page.locator(`[data-to="${workspace.email}"]`).first()).toContainText('you are on Growth now');
  });

  await test.step('both logs have it', async () => {
    await page.goto(workspace.path('audit-log?action=workspace.plan_changed'));
    await expect(sentences(page)).toHaveText([`Ops changed the plan of ${workspace.name}`]);
    await operator.goto('/operator/log?action=workspace.plan_changed');
    await sentences(operator).first().getByRole('link').click();
    await expect(operator.locator('#changes')).toContainText('They have outgrown it.');
  });
});

test('the platform’s log is read by operators and by nobody else', async ({ operator, owner: page, server }) => {
  await page.goto('/operator/log');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is nothing here');
  // More than a page, of somebody unknown.
  for (let call = 0; call < 51; call++) {
    expect((await page.request.get(`${server.url}/v1/workspace`)).status()).toBe(401);
  }
  await section(operator, 'Log').click();
  await expect(operator.getByRole('heading', { level: 1 })).toHaveText('Log');
  await expect(section(operator, 'Log')).toHaveAttribute('aria-current', 'page');
  await expect(sentences(operator)).toHaveCount(50);
  await expect(async () => {
    await operator.reload();
    await expect(operator.locator('#proof')).toContainText('verified to event', { timeout: 1000 });
  }).toPass({ timeout: 30_000 });
  await expect(sentences(operator).first()).toHaveText(/^Somebody unknown called the API: GET \/v1\/workspace/);

  await test.step('older and newer pages', async () => {
    const newest = await operator.locator('td[data-label="#"]').first().innerText();
    await operator.getByRole('link', { name: 'older' }).click();
    await expect(operator).toHaveURL(/\/operator\/log\?older=\d+/);
    await operator.getByRole('link', { name: 'newer' }).click();
    await expect(operator.locator('td[data-label="#"]').first()).toHaveText(newest);
  });

  await test.step('a refusal has its event', async () => {
    await operator.getByLabel('Search the log', { exact: true }).fill('action:operator.refused');
    await operator.getByRole('button', { name: 'Filter' }).click();
    await expect(operator).toHaveURL(/\/operator\/log\?.*q=action%3Aoperator\.refused/);
    await sentences(operator).filter({ hasText: "Ana tried to open the operators' console" }).first().getByRole('link').click();
    await expect(operator.getByRole('heading', { level: 1 })).toContainText('Ana tried to open the operators');
    await expect(operator.getByText('GET /operator/log', { exact: true })).toBeVisible();
    await expect(section(operator, 'Log')).toHaveAttribute('aria-current', 'page');
    const event = operator.url();
    await page.goto(event);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is nothing here');
  });
});

test('everybody in a workspace reads a deadline in its time zone', { tag: ANNOUNCES }, async ({ owner: page, workspace, newVisitor }) => {
  await page.goto(workspace.path('settings'));
  await page.getByLabel('Time zone').selectOption('Asia/Kolkata');
  await page.getByRole('button', { name: 'Save time zone' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await expect(page.getByLabel('Time zone')).toHaveValue('Asia/Kolkata');
  const vendor = `Eta Mail ${workspace.slug}`;
  await announce(page, workspace, vendor);
  // Midnight UTC, also for a member whose browser is elsewhere and whose scripts have run.
  const row = page.getByRole('row').filter({ hasText: vendor });
  await expect(row.locator('time').first()).toHaveText(/, 05:30:00 IST$/);
  await row.getByRole('link').click();
  await expect(page.locator('main time').first()).toHaveText(/, 05:30:00 IST$/);

  const visitor = await newVisitor();
  await visitor.goto('/subprocessors');
  await visitor.reload();
  await expect(visitor.locator('#announced').getByText(vendor).first()).toBeVisible();
  await expect(visitor.getByText(/\bIST\b/)).toHaveCount(0);

  await page.goto(workspace.path('audit-log?action=workspace.time_zone_changed'));
  await expect(sentences(page)).toHaveText([`Ana changed the time zone of ${workspace.name}`]);
});

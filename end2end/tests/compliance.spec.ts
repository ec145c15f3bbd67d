import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '../support/test';
import { summary } from '../support/forms';
import { day } from '../support/operator';
import type { Server } from '../support/server';

const heading = { level: 1 } as const;
const CONTENT = '%PDF-1.7 the content of a report\n';

/** Adds a document, as whoever runs the server does. Gives its id. */
async function addDocument(server: Server, title: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'send0-document-'));
  const [terms, file] = [join(folder, 'terms.txt'), join(folder, 'report-2026.pdf')];
  await writeFile(terms, 'Keep it to yourself.\nDelete it after a year.\n');
  await writeFile(file, CONTENT);
  const { id } = await server.command<{ id: string }>(['document', 'add', '--title', title, '--terms', terms, file]);
  await rm(folder, { recursive: true });
  return id;
}

test('a visitor reads what is said of each framework, and what shows it', async ({ page }) => {
  await page.goto('/security');
  await page.getByRole('navigation', { name: 'Trust' }).getByRole('link', { name: 'Compliance' }).click();
  await expect(page.getByRole('heading', heading)).toHaveText('Compliance');
  await expect(page.locator('section.card')).toHaveCount(4);
  await expect(page.locator('#gdpr h2')).toContainText('compliant');
  await expect(page.locator('#gdpr')).toContainText('Art. 28');
  await expect(page.locator('#hipaa h2')).toContainText('on request');
  await expect(page.locator('#pci-dss h2')).toContainText('not in scope');
  await expect(page.locator('script')).toHaveCount(0);
  expect(await page.context().cookies()).toEqual([]);
  const answer = await page.request.get('/compliance.json');
  const { frameworks } = await answer.json();
  expect(frameworks.map((one: { id: string }) => one.id)).toEqual(['soc-2', 'gdpr', 'hipaa', 'pci-dss']);
});

test('an operator can say no more than there is evidence for', async ({ operator, page }) => {
  await operator.goto('/operator/compliance');
  await operator.getByRole('link', { name: 'SOC 2 Type II' }).click();
  await operator.getByLabel('Status').selectOption('certified');
  await operator.getByLabel('Next review').fill(day(200));
  await operator.getByRole('button', { name: 'Record' }).click();
  await expect(operator.locator('#status-error')).toContainText('add evidence first');
  await expect(operator.getByLabel('Status')).toHaveValue('certified');

  await operator.getByLabel('Title').fill('Report of an auditor');
  await operator.getByLabel('Whose word').selectOption('attestation');
  await operator.getByLabel('Link').fill('javascript:alert(1)');
  await operator.getByRole('button', { name: 'Add the evidence' }).click();
  await expect(operator.locator('#link-error')).toContainText('https://');
  await expect(operator.locator('#valid_until-error')).toContainText('until when');
  await operator.getByLabel('Link').fill('https://example.com/report');
  await operator.getByLabel('Valid until').fill(day(300));
  await operator.getByRole('button', { name: 'Add the evidence' }).click();
  await expect(operator.getByText('The evidence is added.')).toBeVisible();
  await operator.getByLabel('Status').selectOption('certified');
  await operator.getByRole('button', { name: 'Record' }).click();
  await expect(operator.getByText('The page says of SOC 2 Type II: certified.')).toBeVisible();
  await page.goto('/compliance');
  await page.reload();
  await expect(page.locator('#soc-2 h2')).toContainText('certified');

  await operator.getByRole('button', { name: 'Remove Report of an auditor' }).click();
  await expect(operator.getByText('nothing to show for it')).toBeVisible();
  await operator.getByLabel('Status').selectOption('in_progress');
  await operator.getByRole('button', { name: 'Record' }).click();
  await expect(operator.getByText('SOC 2 Type II: in progress.')).toBeVisible();
  await operator.getByRole('button', { name: 'Remove Report of an auditor' }).click();
  await expect(operator.getByText('The evidence is gone.')).toBeVisible();
});

test('a workspace asks, send0 answers, and whoever may not ask sees nothing of it', async ({ operator, owner: page, workspace, newVisitor }) => {
  await page.getByRole('navigation', { name: 'Workspace' }).getByRole('link', { name: 'Compliance' }).click();
  await expect(page.getByRole('heading', { name: 'No requests yet' })).toBeVisible();
  await page.getByLabel('What for').selectOption('baa');
  await page.getByLabel('What exactly').fill('For our clinics.');
  await page.getByRole('button', { name: 'Send the request' }).click();
  await expect(page.locator('#kind-error')).toContainText('Scale plan');
  await expect(page.getByLabel('What exactly')).toHaveValue('For our clinics.');
  await page.getByLabel('What for').selectOption('dpa');
  await page.getByRole('button', { name: 'Send the request' }).click();
  await expect(page.getByText('Your request is with send0.')).toBeVisible();
  await expect(page.locator('#said')).toContainText('For our clinics.');

  await operator.goto('/operator/requests');
  await operator.getByRole('row').filter({ hasText: `the workspace ${workspace.name}` }).getByRole('link').first().click();
  await operator.getByRole('textbox', { name: 'Answer' }).fill(' ');
  await operator.locator('#answer form').evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await operator.getByRole('button', { name: 'Send the answer' }).click();
  await expect(summary(operator)).toBeVisible();
  await operator.getByRole('textbox', { name: 'Answer' }).fill('Signed, and attached to your contract.');
  await operator.getByLabel('And then').selectOption('closed');
  await operator.getByRole('button', { name: 'Send the answer' }).click();
  await expect(operator.getByText('Answered. Whoever asked is told by mail.')).toBeVisible();
  await expect(operator.getByRole('button', { name: 'Send the answer' })).toHaveCount(0);

  await page.goto(await workspace.mailedLink(workspace.email));
  await expect(page.locator('#said')).toContainText('Signed, and attached to your contract.');
  await expect(page.getByText('closed', { exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toHaveCount(0);

  const email = await workspace.addMember('Vi Viewer', 'viewer');
  const viewer = await newVisitor();
  await workspace.signInAs(viewer, email);
  await expect(viewer.getByRole('navigation', { name: 'Workspace' }).getByRole('link', { name: 'Compliance' })).toHaveCount(0);
  await viewer.goto(workspace.path('compliance'));
  await expect(viewer.getByText('compliance.request')).toBeVisible();
});

test('a visitor asks by mail, and goes on by the newest link', async ({ operator, page, workspace }) => {
  const email = `buyer-${workspace.slug}@example.com`;
  const company = `Globex ${workspace.slug}`;
  await page.goto('/compliance/ask');
  await expect(page.getByLabel('What for').locator('option[value=baa]')).toHaveCount(0);
  await page.getByLabel('What for').selectOption('questionnaire');
  await page.getByLabel('What exactly').fill('180 questions.\nBy May.');
  await page.getByLabel('Your name').fill('Gil Buyer');
  await page.getByLabel('Company').fill(company);
  await page.getByLabel('Mail address').fill('nobody@');
  await page.locator('form').evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.getByRole('button', { name: 'Send me the link' }).click();
  await expect(page.locator('#email-error')).toBeVisible();
  await expect(page.getByLabel('What exactly')).toHaveValue('180 questions.\nBy May.');
  await page.getByLabel('Mail address').fill(email);
  await page.getByRole('button', { name: 'Send me the link' }).click();
  await expect(page.getByText('A mail is on its way')).toBeVisible();
  await operator.goto('/operator/requests');
  await expect(operator.getByText(company)).toHaveCount(0);

  const link = await workspace.mailedLink(email);
  await page.goto(link);
  await expect(page).toHaveURL(/\/compliance\/requests$/);
  await page.getByRole('button', { name: 'Send the request' }).click();
  await expect(page.getByText('Sent. The answer is mailed to you')).toBeVisible();

  await operator.reload();
  await operator.getByRole('row').filter({ hasText: company }).getByRole('link').click();
  await operator.getByRole('textbox', { name: 'Answer' }).fill('Filled in.');
  await operator.getByRole('button', { name: 'Send the answer' }).click();
  await expect(operator.getByText('Answered.')).toBeVisible();

  await page.goto(link);
  await expect(page.getByRole('heading', heading)).toHaveText('This link is void');
  await page.goto(await workspace.mailedLink(email));
  await expect(page.getByText('Filled in.')).toBeVisible();
  await page.getByLabel('Say more').fill('Thank you.');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(page.getByText('Thank you.')).toBeVisible();
});

test('a document is handed out behind its terms, until access is taken away', async ({ operator, page, server, workspace }) => {
  const title = `Report ${workspace.slug}`;
  const email = `auditor-${workspace.slug}@example.com`;
  const id = await addDocument(server, title);
  await page.goto('/compliance');
  await page.reload();
  await expect(page.locator('#documents')).toContainText(title);

  await operator.goto(`/operator/documents/${id}`);
  await operator.getByLabel('Mail address').fill(email);
  await operator.getByLabel('For how many days').fill('91');
  await operator.locator('#grant form').evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await operator.getByRole('button', { name: 'Mail the link' }).click();
  await expect(operator.locator('#days-error')).toContainText('1 to 90 days');
  await operator.getByLabel('For how many days').fill('7');
  await operator.getByRole('button', { name: 'Mail the link' }).click();
  await expect(operator.getByText(`The link is on its way to ${email}.`)).toBeVisible();

  await page.goto(await workspace.mailedLink(email));
  await expect(page).toHaveURL(/\/documents$/);
  await expect(page.getByText('Delete it after a year.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Download' })).toHaveCount(0);
  await page.getByLabel('Your name').fill('Al Auditor');
  await page.locator('form').evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.getByRole('button', { name: 'Agree' }).click();
  await expect(page.locator('#agreed-error')).toBeVisible();
  await page.getByLabel('I agree to these terms').check();
  await page.getByRole('button', { name: 'Agree' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
  expect(download.suggestedFilename()).toBe('report-2026.pdf');
  expect(await readFile((await download.path())!, 'utf8')).toBe(CONTENT);

  await operator.reload();
  const entry = operator.getByRole('row').filter({ hasText: email });
  await expect(entry).toContainText('Al Auditor');
  await expect(entry.getByRole('cell').nth(2)).toHaveText('1');
  await operator.getByRole('button', { name: `Take away the access of ${email}` }).click();
  await expect(operator.getByText('The link opens nothing any more.')).toBeVisible();
  await page.getByRole('button', { name: 'Download' }).click();
  await expect(page.getByRole('heading', heading)).toHaveText('This link is void');
  await operator.getByRole('button', { name: 'Retire the document' }).click();
  await expect(operator.getByText('Retired.')).toBeVisible();
});

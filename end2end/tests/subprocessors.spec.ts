import { expect, test } from '../support/test';
import { day, draft } from '../support/operator';
import { ANNOUNCES } from '../support/pages';
import { summary } from '../support/forms';
import { PASSWORD } from '../support/password';


test('a visitor reads what is promised and who processes data, without scripts and cookies', async ({ page }) => {
  await page.goto('/security');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Security');
  await expect(page.locator('section.card')).toHaveCount(8);
  await page.getByRole('navigation', { name: 'Trust' }).getByRole('link', { name: 'Subprocessors' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'Amazon SES' })).toContainText('us-east-1');
  await page.getByRole('navigation', { name: 'Trust' }).getByRole('link', { name: 'Changelog' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Changelog');
  await expect(page.locator('script')).toHaveCount(0);
  expect(await page.context().cookies()).toEqual([]);
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Subprocessors' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Subprocessors');
});

test('a change is drafted, published, objected to, answered and withdrawn', { tag: ANNOUNCES }, async ({ operator, owner: page, workspace }) => {
  const vendor = `Acme Mail ${workspace.slug}`;

  await test.step('less than 30 days is refused, and what was typed stays', async () => {
    await draft(operator, vendor, 29);
    await expect(summary(operator)).toBeVisible();
    await expect(operator.locator('#effective_at-error')).toContainText('At least 30 full days ahead');
    await expect(operator.getByLabel('Regions')).toHaveValue('eu-west-1\nus-east-1');
  });

  await test.step('a draft is nobody else’s business', async () => {
    await draft(operator, vendor, 40);
    await expect(operator.getByText('Drafted. Nobody but operators sees it')).toBeVisible();
    await page.goto('/subprocessors');
    await expect(page.getByText(vendor)).toHaveCount(0);
  });

  await test.step('published, every workspace is told', async () => {
    await operator.getByRole('button', { name: 'Publish' }).click();
    await expect(operator.getByText('Published. Every workspace is told now.')).toBeVisible();
    await page.goto('/subprocessors');
    // It may be kept for a minute.
    await page.reload();
    await expect(page.locator('#announced')).toContainText(vendor);
    const navigation = page.getByRole('navigation', { name: 'Workspace' }).getByRole('link', { name: 'Notices' });
    await expect(async () => {
      await page.goto(workspace.path('notices'));
      await expect(page.getByRole('link', { name: vendor })).toBeVisible({ timeout: 500 });
    }).toPass();
    // Other tests announce as well, and this workspace is told of each.

    await expect(navigation).toContainText(/\d+ new/);
    expect(await workspace.mailedLink(workspace.email)).toContain(`${workspace.path('notices')}/ntc_`);
    await page.getByRole('link', { name: vendor }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(`New subprocessor: ${vendor}`);
    await expect(page.getByText('on its way').or(page.getByText('sent', { exact: true })).first()).toBeVisible();
    await expect(page.getByRole('row').filter({ hasText: workspace.email })).toContainText('published');
  });

  await test.step('an objection says why', async () => {
    await page.getByRole('radio', { name: 'Object' }).check();
    await page.getByRole('button', { name: 'Send the answer' }).click();
    await expect(page.locator('#reason-error')).toContainText('This cannot be empty.');
    await expect(page.getByRole('radio', { name: 'Object' })).toBeChecked();
    await page.getByLabel('Reason of an objection').fill('Not in us-east-1.\nWe promised that to our own customers.');
    await page.getByRole('button', { name: 'Send the answer' }).click();
    await expect(page.getByText('Your objection is with send0.')).toBeVisible();
  });

  await test.step('the operator answers it', async () => {
    await operator.reload();
    await expect(operator.getByRole('row').filter({ hasText: workspace.name }).filter({ hasText: 'Not in us-east-1.' })).toBeVisible();
    await operator.getByRole('row').filter({ hasText: 'Not in us-east-1.' }).getByRole('link', { name: 'Answer' }).click();
    await operator.getByLabel('Answer').fill('Your data stays in eu-west-1.');
    await operator.getByRole('button', { name: 'Send the answer' }).click();
    await expect(operator.getByText('Answered. The contacts of the workspace are told.')).toBeVisible();
    await page.reload();
    await expect(page.locator('#objection')).toContainText('Your data stays in eu-west-1.');
  });

  await test.step('it is postponed, never brought forward, and withdrawn', async () => {
    await operator.getByLabel('In effect from').fill(day(35));
    await operator.getByRole('button', { name: 'Postpone' }).click();
    await expect(operator.locator('#effective_at-error')).toContainText('never brought forward');
    await operator.getByLabel('In effect from').fill(day(50));
    await operator.getByRole('button', { name: 'Postpone' }).click();
    await expect(operator.getByText('announced, postponed')).toBeVisible();
    await operator.getByLabel('Why').fill('We found another way.');
    await operator.getByRole('button', { name: 'Withdraw' }).click();
    await expect(operator.getByText('Withdrawn. Every workspace that was told is told so.')).toBeVisible();
    await page.reload();
    await expect(page.getByText('This will not happen')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Send the answer' })).toHaveCount(0);
    await page.goto('/subprocessors');
    await page.reload();
    await expect(page.locator('#history')).toContainText('We found another way.');
  });

  await test.step('and the log of the workspace has all of it', async () => {
    const { key } = await workspace.key('Reader');
    const actions = (await workspace.events(key)).map((event) => `${event.actor.kind} ${event.action}`);
    for (const told of ['system notice.received', 'user notice.seen', 'user notice.objected', 'operator notice.replied']) {
      expect(actions).toContain(told);
    }
    const answer = await workspace.call(key, '/v1/notices');
    const { data } = await answer.json();
    expect(data[0]).toMatchObject({ state: 'withdrawn', answer: 'objected', reply: 'Your data stays in eu-west-1.' });
  });
});

test('the list of now is changed through a notice, and a viewer only looks', async ({ operator, owner: page, workspace, newVisitor }) => {
  await operator.goto('/operator');
  await operator.getByRole('link', { name: 'Change Sentry' }).click();
  await expect(operator.getByLabel('Purpose')).toHaveValue('Error tracking, redacted');
  await operator.getByLabel('Why').fill('Needed.');
  await operator.getByLabel('In effect from').fill(day(40));
  await operator.getByRole('button', { name: 'Save the draft' }).click();
  await expect(operator.locator('#purpose-error')).toContainText('Nothing would change.');
  await operator.getByLabel('Regions').fill('eu-central-1');
  await operator.getByRole('button', { name: 'Save the draft' }).click();
  await expect(operator.locator('#changes')).toContainText('eu-central-1');
  await expect(operator.locator('#changes').getByRole('row')).toHaveCount(2);
  await operator.getByRole('button', { name: 'Discard the draft' }).click();
  await expect(operator.getByText('The draft is gone.')).toBeVisible();

  const email = await workspace.addMember('Vi Viewer', 'viewer');
  const viewer = await newVisitor();
  await workspace.signInAs(viewer, email);
  await viewer.goto(workspace.path('notices'));
  await expect(viewer.getByRole('heading', { level: 1 })).toHaveText('Notices');
  await viewer.goto('/operator');
  await expect(viewer.getByRole('heading', { level: 1 })).toHaveText('There is nothing here');
});

test('an operator without a second factor gets nowhere', async ({ server, newVisitor }) => {
  const page = await newVisitor();
  const email = await server.operator('no-factor');
  await page.goto('/operator');
  await page.getByLabel('Mail address').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('A second factor is needed here');
  await page.getByRole('link', { name: 'Add one to your account' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Security');
});

test('a visitor subscribes, agrees by mail, and ends it', async ({ page, workspace }) => {
  const email = `reader-${workspace.slug}@example.com`;
  await page.goto('/subprocessors');
  await page.getByRole('link', { name: 'Be told of changes by mail' }).click();
  await page.getByLabel('Mail address').fill('nobody@');
  await page.locator('form').evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await expect(summary(page)).toBeVisible();
  await expect(page.getByLabel('Mail address')).toHaveValue('nobody@');
  await page.getByLabel('Mail address').fill(email);
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await expect(page.getByText('a mail is on its way')).toBeVisible();
  const link = await workspace.mailedLink(email);
  await page.goto(link);
  await expect(page).toHaveURL(/\/subscription$/);
  await page.getByRole('button', { name: 'Yes, tell me' }).click();
  await expect(page.getByText(`${email} is told of every change from now on`)).toBeVisible();
  await page.goto(link);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('This link is void');
});

import type { Page } from '@playwright/test';
import { day } from '../support/operator';
import { ANNOUNCES } from '../support/pages';
import { expect, test } from '../support/test';

/** What people have broken out of text, attributes, titles, scripts and addresses with. At most 64 characters each. */
const CORPUS = [
  '<script>run()</script>',
  '</title><script>run()</script>',
  '</textarea><script>run()</script>',
  '"><img src=x onerror=run()>',
  "'><svg/onload=run()>",
  '" autofocus onfocus=run() x="',
  '<svg><animate onbegin=run() attributeName=x dur=1s>',
  '<details open ontoggle=run()>',
  '--><script>run()</script><!--',
  '<a href="javascript:run()">x</a>',
  '{{constructor.constructor("run()")()}}',
  '</script><script>run()</script>',
  '<leptos-island data-component="x" data-props="run()">',
  '\u202e<iframe srcdoc="<script>parent.run()</script>">',
];

const FORM = { accept: 'text/html', 'sec-fetch-site': 'same-origin' };

/** Sends a form as the page would, with whatever is typed. */
async function send(page: Page, name: string, form: Record<string, string>, agent = 'Chrome'): Promise<string> {
  const origin = new URL(page.url()).origin;
  // A header has no room for other characters; the server would read none that are no ASCII.
  const headers = { ...FORM, origin, 'user-agent': agent.replace(/[^ -~]/g, '') };
  const answer = await page.request.post(`${origin}/_fn/app/${name}`, { form, headers, maxRedirects: 0 });
  expect(answer.status(), name).toBe(303);
  return answer.headers()['location'];
}

for (const evil of CORPUS) {
  test(`${evil} is text wherever it shows`, async ({ owner: page, workspace }) => {
    let ran = 0;
    await page.exposeFunction('run', () => ran++);
    page.on('dialog', (dialog) => (ran++, dialog.dismiss()));
    const here = { workspace: workspace.slug };
    await send(page, 'accounts/server_fns/change_settings', { name: evil, theme: 'system' }, evil);
    await send(page, 'workspaces/server_fns/rename_workspace', { ...here, name: evil }, evil);
    const secret = await send(page, 'api_keys/server_fns/issue_key', { ...here, name: evil, kind: 'test' }, evil);
    const key = secret.replace('/secret', '');
    await send(page, 'api_keys/server_fns/revoke_key', { ...here, id: key.split('/').at(-1)!, reason: evil }, evil);
    await send(page, 'invitations/server_fns/invite_members', { ...here, emails: `bo@example.com,${evil}`, role: 'viewer' });
    await send(page, 'retention/server_fns/place_hold', { ...here, name: evil });
    const to = await send(page, 'streams/server_fns/create_stream', { ...here, kind: 'https', name: evil, url: 'https://siem.example.com' });
    const refused = { ...here, emails: '', role: evil, _back: workspace.path('members/invite') };
    const paths = ['', 'members', 'contacts', 'settings', 'api-keys', 'streams', 'retention', 'audit-log', `audit-log?actor=${encodeURIComponent(evil)}`].map((rest) => workspace.path(rest));
    for (const path of [...paths, key, to.replace('/secret', ''), '/account', '/dev/mailbox', `/sign-in?next=${encodeURIComponent(evil)}`]) {
      await page.goto(path);
      if (path === workspace.path()) await expect(page.getByRole('heading', { level: 1 })).toHaveText(evil.trim());
    }
    await send(page, 'invitations/server_fns/invite_members', refused);
    await page.goto(workspace.path('members/invite'));
    await page.goto(workspace.path('audit-log'));
    await page.getByRole('table').getByRole('link').first().click();
    await expect(page.locator('script:not([nonce]), iframe, [onerror], [onload], [onfocus]')).toHaveCount(0);
    expect(ran, 'something ran').toBe(0);
  });
}

test('what workspaces and operators write is text on both sides and in public', { tag: ANNOUNCES }, async ({ operator, owner: page, workspace }) => {
  test.setTimeout(120_000);
  let ran = 0;
  for (const one of [operator, page]) {
    await one.exposeFunction('run', () => ran++);
    one.on('dialog', (dialog) => (ran++, dialog.dismiss()));
  }
  const functions = 'subprocessors/server_fns';
  const notices: string[] = [];
  for (const evil of CORPUS) {
    const typed = { vendor: evil, purpose: evil, data: evil, regions: evil.slice(0, 50), why: evil, effective_at: day(40) };
    const notice = await send(operator, `${functions}/propose_change`, { of: 'add', ...typed });
    expect(notice, evil).toContain('/ntc_');
    notices.push(notice);
    await send(operator, `${functions}/publish_notice`, { id: notice.split('/').at(-1)! });
  }
  for (const notice of notices) {
    const told = page.locator(`a[href$="${notice.split('/').at(-1)!}"]`);
    await expect(async () => {
      await page.goto(workspace.path('notices'));
      await expect(told).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 20_000 });
  }
  for (const [n, notice] of notices.entries()) {
    const [id, evil] = [notice.split('/').at(-1)!, CORPUS[n]];
    await send(page, `${functions}/answer_notice`, { workspace: workspace.slug, id, answer: 'objected', reason: evil });
    await operator.goto(notice);
    await operator.getByRole('link', { name: `Answer ${workspace.name}` }).click();
    await expect(operator.getByText(evil).first()).toBeVisible();
    await operator.getByLabel('Answer').fill(evil);
    await operator.getByRole('button', { name: 'Send the answer' }).click();
    await expect(operator.getByText('Answered.')).toBeVisible();
    await send(operator, `${functions}/withdraw_notice`, { id, why: evil });
    await page.goto(workspace.path(`notices/${id}`));
    await expect(page.locator('#objection').getByText(evil)).toHaveCount(2);
  }
  await operator.goto('/operator');
  await page.goto('/subprocessors');
  for (const notice of notices) await expect(page.locator(`#history #${notice.split('/').at(-1)!}`)).toBeVisible();
  await expect(page.locator('script, iframe, [onerror], [onload], [onfocus]')).toHaveCount(0);
  await page.goto('/dev/mailbox');
  expect(ran, 'something ran').toBe(0);
});

test('what is asked, answered and shown about compliance is text on every side', async ({ operator, owner: page, workspace, newVisitor }) => {
  test.setTimeout(240_000);
  let ran = 0;
  const visitor = await newVisitor();
  for (const one of [page, operator, visitor]) {
    await one.exposeFunction('run', () => ran++);
    one.on('dialog', (dialog) => (ran++, dialog.dismiss()));
  }
  const functions = 'compliance/server_fns';
  for (const evil of CORPUS) {
    const made = await send(page, `${functions}/make_request`, { workspace: workspace.slug, kind: 'control', message: evil });
    const id = made.split('/').at(-1)!;
    await operator.goto('/operator/requests');
    await operator.locator(`a[href$="${id}"]`).click();
    await expect(operator.locator('#said').getByText(evil)).toBeVisible();
    await operator.getByRole('textbox', { name: 'Answer' }).fill(evil);
    await operator.getByRole('button', { name: 'Send the answer' }).click();
    await page.goto(workspace.path(`compliance/${id}`));
    await expect(page.locator('#said').getByText(evil)).toHaveCount(2);
    await send(operator, `${functions}/add_evidence`, { id: 'hipaa', title: evil, kind: 'statement', link: '/security' });
  }
  await visitor.goto('/compliance');
  await expect(visitor.locator('#hipaa li')).toHaveCount(CORPUS.length);
  await expect(visitor.locator('script, iframe, [onerror], [onload], [onfocus]')).toHaveCount(0);
  const [one, two, three] = CORPUS;
  const email = `evil-${workspace.slug}@example.com`;
  await send(visitor, `${functions}/ask_as_visitor`, { kind: 'dpa', message: one, name: two, company: three, email });
  await visitor.goto(await workspace.mailedLink(email));
  await visitor.getByRole('button', { name: 'Send the request' }).click();
  await expect(visitor.locator('.said').getByText(one, { exact: true })).toBeVisible();
  await operator.goto('/operator/requests');
  await operator.getByRole('row').filter({ hasText: three }).getByRole('link').click();
  await expect(operator.getByText(two).first()).toBeVisible();
  await operator.goto('/operator/compliance/hipaa');
  for (const evil of CORPUS) {
    await operator.getByRole('button', { name: `Remove ${evil}` }).first().click();
    await expect(operator.getByText('The evidence is gone.')).toBeVisible();
  }
  expect(ran, 'something ran').toBe(0);
});

test('next leads nowhere but to our own pages', async ({ page, workspace }) => {
  for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)', '%2f%2fevil.example']) {
    await page.context().clearCookies();
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    await workspace.fillSignIn(page);
    await expect(page.getByRole('heading', { level: 1, name: workspace.name })).toBeVisible();
    expect(new URL(page.url()).pathname).toBe(workspace.path());
  }
});

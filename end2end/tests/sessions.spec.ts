import { expect, test } from '../support/test';
import { summary } from '../support/forms';

const heading = { level: 1 } as const;

test('signing in leads to the page that was asked for', async ({ page, workspace }) => {
  await page.goto(workspace.path('audit-log?outcome=success'));
  await expect(page.getByRole('heading', heading)).toHaveText('Sign in');
  await workspace.fillSignIn(page);
  await expect(page).toHaveURL(new RegExp(`${workspace.path('audit-log')}\\?outcome=success$`));
  await expect(page.getByRole('heading', heading)).toHaveText('Audit log');
});

test('every page inside a workspace asks who is there', async ({ page, workspace }) => {
  for (const rest of ['', 'api-keys', 'api-keys/new', 'audit-log', 'api-keys/key_x', 'api-keys/key_x/secret', 'audit-log/evt_x']) {
    await page.goto(workspace.path(rest));
    await expect(page, rest).toHaveURL(/\/sign-in\?next=/);
    await expect(page.getByText(workspace.name)).toHaveCount(0);
  }
});

for (const elsewhere of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
  test(`signing in never leads to ${elsewhere}`, async ({ page, workspace }) => {
    await page.goto(`/sign-in?next=${encodeURIComponent(elsewhere)}`);
    await workspace.fillSignIn(page);
    await expect(page).toHaveURL(new RegExp(`${workspace.path()}$`));
  });
}

test('a wrong password and an unknown account are answered alike', async ({ page, workspace }) => {
  const answers = [];
  for (const email of [workspace.email, 'nobody@example.com']) {
    await page.goto('/sign-in');
    await page.getByLabel('Mail address').fill(email);
    await page.getByLabel('Password').fill('a wrong password');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(summary(page)).toHaveText('Mail address or password is wrong.');
    await expect(summary(page)).toBeFocused();
    await expect(page.getByLabel('Mail address')).toHaveValue(email);
    await expect(page.getByLabel('Password')).toHaveValue('');
    answers.push((await page.content()).replaceAll(email, '').replaceAll(/nonce-\S+/g, ''));
  }
  expect(answers[0]).toBe(answers[1]);
});

test('too many attempts have to wait', async ({ page }) => {
  const attempt = async (password: string): Promise<string> => {
    await page.goto('/sign-in');
    await page.getByLabel('Mail address').fill('guessed@example.com');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    return summary(page).innerText();
  };
  for (let free = 1; free <= 10; free++) {
    expect(await attempt(`guess number ${free}`)).toBe('Mail address or password is wrong.');
  }
  // The wait begins with a second, which may have passed by the next attempt, and doubles.
  await expect.poll(() => attempt('one guess more')).toMatch(/^Too many attempts\. Try again in \d+ (s|min)\.$/);
});

test('after signing out nothing private is left, not even by going back', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('audit-log'));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.goBack();
  await expect(page.getByRole('heading', heading)).toHaveText('Sign in');
  await expect(page.getByText(workspace.name)).toHaveCount(0);
  await page.goto(workspace.path());
  await expect(page).toHaveURL(/\/sign-in\?next=/);
});

test('whoever is signed in is not asked again', async ({ owner: page, workspace }) => {
  await page.goto('/sign-in');
  await expect(page).toHaveURL(new RegExp(`${workspace.path()}$`));
  await page.goto('/');
  await expect(page).toHaveURL(new RegExp(`${workspace.path()}$`));
});

test('every page of a session lets one sign out', async ({ page, workspace }) => {
  await workspace.signIn(page);
  const inside = ['', 'members', 'api-keys', 'allowlist', 'audit-log', 'notices', 'contacts', 'settings', 'nothing-here'];
  const own = ['/account', '/account/security', '/account/sessions', '/account/prove', '/workspaces/new', '/w/somebody-elses', '/operator'];
  for (const path of [...inside.map((rest) => workspace.path(rest)), ...own]) {
    await page.goto(path);
    await expect(page.getByRole('button', { name: 'Sign out' }), path).toBeVisible();
  }
  await page.goto('/w/somebody-elses');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(workspace.path());
  await expect(page).toHaveURL(/\/sign-in\?next=/);
});

import { expect, test } from '../support/test';
import { hydrated } from '../support/forms';

test('the palette goes where one types, by keyboard alone', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path());
  await hydrated(page);
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: 'Where to' });
  await expect(box).toBeFocused();
  await page.keyboard.type('issue key');
  await expect(page.getByRole('option')).toHaveText(['Issue an API key']);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(workspace.path('api-keys/new'));
});

test('arrows choose, Escape gives the focus back, nothing is said to be nothing', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path());
  await hydrated(page);
  const opener = page.getByRole('button', { name: 'Go to…' });
  await opener.focus();
  await page.keyboard.press('Enter');
  const selected = page.locator('[role=option][aria-selected=true]');
  await expect(selected).toHaveText('Overview');
  await page.keyboard.press('ArrowDown');
  await expect(selected).toHaveText('Team');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect(selected).toHaveText('Your sessions');
  await expect(page.getByRole('combobox')).toHaveAttribute('aria-activedescendant', (await selected.getAttribute('id'))!);
  await page.keyboard.type('zebra');
  await expect(page.getByText('Nothing is called that.')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('combobox')).toBeHidden();
  await expect(opener).toBeFocused();
});

test('it opens within 100 ms and offers only what the role allows', async ({ owner: page, workspace, newVisitor }) => {
  const email = await workspace.addMember('Vi', 'viewer');
  const viewer = await newVisitor();
  await workspace.signInAs(viewer, email);
  await hydrated(viewer);
  // Listens before the key is pressed.
  const opened = await viewer.evaluateHandle(() => {
    let pressed = 0;
    addEventListener('keydown', () => (pressed = performance.now()), { capture: true });
    const took = new Promise<number>((done) => {
      const opened = new MutationObserver(() => done(performance.now() - pressed));
      opened.observe(document.querySelector('dialog.palette')!, { attributeFilter: ['open'] });
    });
    return { took };
  });
  await viewer.keyboard.press('Meta+k');
  expect(await opened.evaluate(({ took }) => took)).toBeLessThan(100);
  const offered = await viewer.getByRole('option').allInnerTexts();
  expect(offered).toContain('Team');
  for (const refused of ['API keys', 'Audit log', 'Settings', 'Invite people', 'Issue an API key']) expect(offered).not.toContain(refused);
});

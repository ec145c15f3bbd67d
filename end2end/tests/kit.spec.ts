import { expect, test } from '../support/test';

test('a dialog asks, closes on Escape and gives the focus back', async ({ page }) => {
  await page.goto('/dev/kit');
  const opener = page.getByRole('button', { name: 'Sign out everywhere' }).first();
  await opener.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(opener).toBeFocused();
  await opener.press('Enter');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
});

test('a menu opens and closes by keyboard', async ({ page }) => {
  await page.goto('/dev/kit');
  const opener = page.getByRole('button', { name: 'More' });
  await opener.press('Enter');
  await expect(page.getByRole('link', { name: 'Rotate' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('link', { name: 'Rotate' })).toBeHidden();
  await expect(opener).toBeFocused();
});

test('a switch is one', async ({ page }) => {
  await page.goto('/dev/kit');
  const on = page.getByRole('switch', { name: 'Daily summary' });
  await expect(on).not.toBeChecked();
  await on.press('Space');
  await expect(on).toBeChecked();
  await expect(page.getByRole('switch', { name: 'Audit log' })).toBeDisabled();
});

test('the same numbers stand in a table', async ({ page }) => {
  await page.goto('/dev/kit');
  const figure = page.locator('.histogram');
  const bars = await figure.locator('svg a').count();
  await figure.getByText('As a table').click();
  await expect(figure.getByRole('row')).toHaveCount(bars);
});

import { expect, type Locator, type Page } from '@playwright/test';

export const events = (page: Page): Locator => page.getByRole('table', { name: 'Audit events' });
export const sentences = (page: Page): Locator => events(page).getByRole('rowheader');
/** A search box; a combobox as soon as scripts offer something. */
export const box = (page: Page): Locator => page.getByLabel('Search the log', { exact: true });
export const search = async (page: Page, query: string): Promise<void> => {
  await box(page).fill(query);
  await page.getByRole('button', { name: 'Filter' }).click();
};
/** Waits until the export that was just asked for can be downloaded. */
export const downloadable = async (page: Page, javaScriptEnabled: boolean | undefined): Promise<void> => {
  await expect(page.getByText('The export is being written.')).toBeVisible();
  // What lies under a hand is not exchanged.
  await page.mouse.move(0, 0);
  await expect(async () => {
    // Without scripts nothing comes by itself.
    const again = page.getByRole('link', { name: 'Refresh' });
    if (!javaScriptEnabled && (await again.isVisible())) await again.click();
    await expect(page.getByRole('button', { name: 'Download' })).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
};

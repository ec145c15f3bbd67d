import type { Locator, Page } from '@playwright/test';

export const events = (page: Page): Locator => page.getByRole('table', { name: 'Audit events' });
export const sentences = (page: Page): Locator => events(page).getByRole('rowheader');
/** A search box; a combobox as soon as scripts offer something. */
export const box = (page: Page): Locator => page.getByLabel('Search the log', { exact: true });
export const search = async (page: Page, query: string): Promise<void> => {
  await box(page).fill(query);
  await page.getByRole('button', { name: 'Filter' }).click();
};

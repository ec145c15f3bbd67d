import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test';
import { LOOKS, SCHEMES, SIZES } from '../support/pages';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const NARROWEST = { width: 320, height: 640 };
const MOST_STOPS = 150;

async function axe(page: Page): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
      const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
      expect.soft(found, `${size}, ${colorScheme}`).toEqual([]);
    }
  }
}

/** At 320 px, or at 400 % zoom, nothing is reached by scrolling sideways. */
async function reflow(page: Page): Promise<void> {
  await page.setViewportSize(NARROWEST);
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect.soft(widths[0], 'width at 320 px').toBeLessThanOrEqual(widths[1]);
}

type Stop = { place: number; what: string; ringed: boolean; visible: boolean };

/** The element that has the focus, numbered in the order of first visits; nothing at the end of the page. */
function stop(page: Page): Promise<Stop | null> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return null;
    element.dataset.stop ??= String(document.querySelectorAll('[data-stop]').length);
    const ring = getComputedStyle(element.closest('.choice-card') ?? element);
    const box = element.getBoundingClientRect();
    return {
      place: Number(element.dataset.stop),
      what: element.outerHTML.slice(0, 120),
      ringed: ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2,
      visible: box.width > 1 && box.bottom > 0 && box.top < innerHeight,
    };
  });
}

/** Presses Tab until everything was reached; a page that begins in its middle, at what was wrong, is gone around once. */
async function walk(page: Page): Promise<Stop[]> {
  const stops: Stop[] = [];
  for (let presses = 0, ends = 0; presses < MOST_STOPS && ends < 2; presses++) {
    await page.keyboard.press('Tab');
    const here = await stop(page);
    if (!here) ends++;
    // A field for a time has several stops, of which only the first is ours.
    else if (here.place === stops.length) stops.push(here);
    else if (here.place < stops.length - 1) break;
  }
  return stops;
}

/** Tab reaches everything, in a visible place and with a visible ring; the first stop leaps over the navigation. */
async function keyboard(page: Page): Promise<void> {
  await page.setViewportSize(SIZES.desktop);
  const beginsElsewhere = (await page.locator('[autofocus]:focus').count()) > 0;
  if ((await page.locator('.skip-link').count()) > 0 && !beginsElsewhere) {
    await page.keyboard.press('Tab');
    await expect.soft(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect.soft(page.locator('main')).toBeFocused();
  }
  const stops = await walk(page);
  const controls = page.locator('main').locator('a[href], button, input:not([type=hidden], [type=radio]), select, summary');
  const missed = await controls.evaluateAll((all) =>
    all.filter((one) => !one.hasAttribute('data-stop') && one.checkVisibility()).map((one) => one.outerHTML.slice(0, 120)),
  );
  expect.soft(stops.length).toBeGreaterThan(0);
  expect.soft(missed, 'out of reach of the keyboard').toEqual([]);
  expect.soft(stops.filter((one) => !one.ringed), 'without a focus ring').toEqual([]);
  expect.soft(stops.filter((one) => !one.visible), 'focused out of sight').toEqual([]);
}

async function check(page: Page): Promise<void> {
  await test.step('axe', () => axe(page));
  await test.step('reflow', () => reflow(page));
  await test.step('keyboard', () => keyboard(page));
}

for (const { name, open } of LOOKS) {
  test(name, async ({ page, workspace }) => {
    await open(page, workspace);
    await check(page);
  });
}

test.describe('before anybody owns anything', () => {
  test.use({ baseURL: async ({ freshServer }, use) => use(freshServer.url) });

  test('set-up', async ({ page, freshServer }) => {
    await page.goto('/sign-in');
    await check(page);
    await page.goto(freshServer.setupLink);
    await check(page);
  });
});

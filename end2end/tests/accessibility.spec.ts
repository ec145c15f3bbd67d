import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test';
import { hydrated } from '../support/forms';
import { ANNOUNCES, LOOKS, SCHEMES, SIZES } from '../support/pages';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const NARROWEST = { width: 320, height: 640 };
const MOST_STOPS = 150;

async function axe(page: Page): Promise<void> {
  let axeSource: string | undefined;
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      // Without frames there is nothing that the slower mode would find; the scheme changes colours, and nothing else.
      const builder = new AxeBuilder({ page, axeSource }).setLegacyMode();
      const rules = colorScheme === 'light' ? builder.withTags(WCAG) : builder.withRules('color-contrast');
      const { violations } = await rules.analyze();
      // It is in the page now; the builder would put its 600 kB there twice for each run.
      axeSource = 'undefined';
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
    // A bar of a drawing is a link too, but no HTMLElement.
    if (!(element instanceof HTMLElement || element instanceof SVGElement) || element === document.body) return null;
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
    all.filter((one) => !one.hasAttribute('data-stop') && !one.matches(':disabled') && one.checkVisibility()).map((one) => one.outerHTML.slice(0, 120)),
  );
  expect.soft(stops.length).toBeGreaterThan(0);
  expect.soft(missed, 'out of reach of the keyboard').toEqual([]);
  expect.soft(stops.filter((one) => !one.ringed), 'without a focus ring').toEqual([]);
  expect.soft(stops.filter((one) => !one.visible), 'focused out of sight').toEqual([]);
}

/** Every label, description and link in the page means one element. */
async function ids(page: Page): Promise<void> {
  const twice = await page.evaluate(() => {
    const all = [...document.querySelectorAll('[id]')].map((one) => one.id);
    return all.filter((id, place) => all.indexOf(id) !== place);
  });
  expect.soft(twice, 'ids that stand twice').toEqual([]);
}

/** With text twice as large everything is still there, and nothing is reached by scrolling sideways (WCAG 1.4.4). */
async function largeText(page: Page): Promise<void> {
  await page.setViewportSize(SIZES.desktop);
  const widths = await page.evaluate(() => {
    document.documentElement.style.fontSize = '200%';
    const { scrollWidth, clientWidth } = document.documentElement;
    document.documentElement.style.fontSize = '';
    return [scrollWidth, clientWidth];
  });
  expect.soft(widths[0], 'width with text at 200 %').toBeLessThanOrEqual(widths[1]);
}

/** In forced colours what can be operated still has an edge. */
async function forcedColours(page: Page): Promise<void> {
  await page.emulateMedia({ forcedColors: 'active' });
  const edgeless = await page.locator('.btn, .input, .palette-open').evaluateAll((all) =>
    all
      .filter((one) => one.checkVisibility() && parseFloat(getComputedStyle(one).borderTopWidth) < 1)
      .map((one) => one.outerHTML.slice(0, 120)),
  );
  expect.soft(edgeless, 'without an edge in forced colours').toEqual([]);
  await page.emulateMedia({ forcedColors: 'none' });
}

/** Whoever asked for less motion gets none. */
async function stillness(page: Page): Promise<void> {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect.soft(await page.evaluate(() => document.getAnimations().length), 'animations').toBe(0);
}

/** At least 24 px each way (WCAG 2.5.8), without the exceptions that the rule would allow to buttons and fields. */
async function targets(page: Page): Promise<void> {
  await page.setViewportSize(SIZES.phone);
  const small = await page.locator('button, .btn, input:not([type=hidden], [type=radio], [type=checkbox]), select, summary, nav a').evaluateAll((all) =>
    all
      .filter((one) => one.checkVisibility())
      .filter((one) => one.getBoundingClientRect().height < 24 || one.getBoundingClientRect().width < 24)
      .map((one) => one.outerHTML.slice(0, 120)),
  );
  expect.soft(small, 'targets under 24 px').toEqual([]);
}

/** Password managers may fill in, and people may paste. */
async function fields(page: Page): Promise<void> {
  const closed = page.locator('input[type=password]:not([autocomplete*=password]), input[type=email]:not([autocomplete]), [onpaste]');
  expect.soft(await closed.count(), 'fields that keep password managers out').toBe(0);
}

async function check(page: Page): Promise<void> {
  await test.step('axe', () => axe(page));
  await test.step('reflow', () => reflow(page));
  await test.step('ids', () => ids(page));
  await test.step('text at 200 %', () => largeText(page));
  await test.step('forced colours', () => forcedColours(page));
  await test.step('less motion', () => stillness(page));
  await test.step('targets', () => targets(page));
  await test.step('fields', () => fields(page));
  await test.step('keyboard', () => keyboard(page));
}

for (const { name, open, announces } of LOOKS) {
  test(name, { tag: announces ? ANNOUNCES : [] }, async ({ page, workspace }) => {
    await open(page, workspace);
    if (name.endsWith('-refused')) await expect.soft(page.locator('form [role=alert]'), 'the summary has the focus').toBeFocused();
    await check(page);
  });
}

test('audit-log-completions', async ({ owner: page, workspace }) => {
  await page.goto(workspace.path('audit-log'));
  await hydrated(page);
  await page.getByLabel('Search the log', { exact: true }).pressSequentially('ac');
  await page.keyboard.press('ArrowDown');
  const chosen = page.getByRole('listbox', { name: 'Completions' }).getByRole('option', { selected: true });
  await expect(chosen).toHaveText('actor:');
  await axe(page);
  await reflow(page);
  await expect(chosen, 'it was looked at while it was open').toBeVisible();
});

test.describe('before anybody owns anything', () => {
  test.use({ baseURL: async ({ freshServer }, use) => use(freshServer.url) });

  test('set-up', async ({ page, freshServer }) => {
    await page.goto('/sign-in');
    await check(page);
    await page.goto(freshServer.setupLink);
    await check(page);
  });
});

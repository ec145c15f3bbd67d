import { defineConfig } from '@playwright/test';

/** Every journey runs with and without scripts; these are about scripts (as is whether something foreign runs), or need them to look at the page. */
const NEEDS_SCRIPTS = ['**/scripts.spec.ts', '**/xss.spec.ts', '**/accessibility.spec.ts', '**/palette.spec.ts', '**/passkeys.spec.ts', '**/demo.spec.ts'];
const SCREENSHOTS = '**/screenshots.spec.ts';
const WITHOUT_SCRIPTS = [SCREENSHOTS, ...NEEDS_SCRIPTS];

/** These tell every workspace of their server something. A project has workers of its own, a worker a server of its own. */
const ANNOUNCING = /@announces/;
/** Single tests about scripts, among others that are not. */
const NOT_WITHOUT_SCRIPTS = /@announces|@scripts/;

/** Pictures are taken when asked for (`--project=screenshots`), not with the tests. A worker is told which project it is. */
const takesPictures = process.argv.includes('--project=screenshots') || process.env.TEST_WORKER_INDEX !== undefined;

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: process.env.PLAYWRIGHT_JSON ?? 'test-results/report.json' }]],
  use: {
    actionTimeout: 10_000,
    navigationTimeout: 20_000,
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: '/usr/bin/chromium-headless-shell',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'chromium', testIgnore: SCREENSHOTS, grepInvert: ANNOUNCING },
    { name: 'no-js', testIgnore: WITHOUT_SCRIPTS, grepInvert: NOT_WITHOUT_SCRIPTS, use: { javaScriptEnabled: false } },
    { name: 'announcing', testIgnore: SCREENSHOTS, grep: ANNOUNCING },
    { name: 'announcing-no-js', testIgnore: WITHOUT_SCRIPTS, grep: ANNOUNCING, use: { javaScriptEnabled: false } },
    ...(takesPictures ? [{ name: 'screenshots', testMatch: SCREENSHOTS }] : []),
  ],
});

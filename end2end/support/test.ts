import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';
import { Server } from './server';
import { signInAsOperator } from './operator';
import { Workspace } from './workspace';

type OfTest = {
  /** A server that nobody has set up. */
  freshServer: Server;
  /** A workspace of this test's own, on the shared server. */
  workspace: Workspace;
  /** The page, signed in as the owner of the workspace, at its overview. */
  owner: Page;
  /** A page of its own, signed in as one of send0's staff, with a second factor, at the operators' console. */
  operator: Page;
  /** What browsers complained about so far; a test fails if there is anything. */
  complaints: string[];
  /** A page in a browser session of its own. */
  newVisitor: () => Promise<Page>;
};
type OfWorker = { server: Server };

export const test = base.extend<OfTest, OfWorker>({
  server: [async ({}, use) => serve(use), { scope: 'worker', timeout: 120_000 }],

  freshServer: [async ({}, use) => serve(use), { timeout: 120_000 }],

  baseURL: async ({ server }, use) => use(server.url),

  complaints: [
    async ({}, use) => {
      const complaints: string[] = [];
      await use(complaints);
      expect(complaints, 'what the browser complained about').toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, complaints }, use) => {
    listen(context, complaints);
    await use(context);
  },

  newVisitor: async ({ browser, complaints }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext();
      contexts.push(context);
      listen(context, complaints);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  workspace: async ({ server, request, browser }, use, { testId }) => {
    await use(await Workspace.create(server, request, browser, 'Acme', `ana-${testId.slice(-8)}@example.com`));
  },

  operator: async ({ server, newVisitor }, use, { testId }) => {
    const page = await newVisitor();
    await signInAsOperator(page, await server.operator(testId.slice(-8)));
    await use(page);
  },

  owner: async ({ page, workspace }, use) => {
    await workspace.signInAs(page, workspace.email);
    await use(page);
  },
});

export { expect };

/** Starts a server, lends it, and sees to it that it ends well. */
async function serve(use: (server: Server) => Promise<void>): Promise<void> {
  const server = await Server.start();
  await expect.poll(() => server.isHealthy()).toBe(true);
  await use(server);
  expect(await server.stop(), 'exit code after SIGTERM').toBe(0);
  expect(server.complaints(), 'errors in the log of the server').toEqual([]);
}

/** Collects everything that a page should never do. */
function listen(context: BrowserContext, complaints: string[]): void {
  context.on('console', (message) => {
    // Chromium says this of every answer that is an error; those are judged below.
    const isStatus = message.text().startsWith('Failed to load resource: the server responded');
    if (message.type() === 'error' && !isStatus) complaints.push(`console: ${message.text()}`);
  });
  context.on('weberror', (web) => {
    const { name, message } = web.error();
    const isTransition = ['InvalidStateError', 'AbortError'].includes(name) && /transition/i.test(message);
    if (!isTransition) complaints.push(`script: ${name}: ${message}`);
  });
  context.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'failed';
    // Left for another page before it was there; not wanted because scripts are off. What the policy forbids is an
    // error in the console besides.
    if (!['net::ERR_ABORTED', 'csp'].includes(reason)) complaints.push(`request: ${request.url()}: ${reason}`);
  });
  context.on('response', (response) => {
    const limit = response.request().isNavigationRequest() ? 500 : 400;
    if (response.status() >= limit) complaints.push(`answer: ${response.url()}: ${response.status()}`);
  });
}

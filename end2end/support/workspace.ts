import { expect, type APIRequestContext, type APIResponse, type Page } from '@playwright/test';
import { Server } from './server';

export type IssuedKey = { id: string; key: string };
export type AuditEvent = {
  seq: number;
  action: string;
  outcome: string;
  reason: string | null;
  actor: { kind: string; id: string; name: string | null };
  targets: { kind: string; id: string }[];
  request_id: string;
};

export const PASSWORD = 'heron lamp gravel quiet';

/** A workspace with its owner, made by the command line. */
export class Workspace {
  private constructor(
    private readonly server: Server,
    private readonly request: APIRequestContext,
    readonly slug: string,
    readonly name: string,
    readonly email: string,
  ) {}

  static async create(server: Server, request: APIRequestContext, name: string, email: string): Promise<Workspace> {
    const words = ['owner', 'create', '--email', email, '--workspace', name, '--name', 'Ana'];
    const made = await server.command<{ workspace: string }>(words, `${PASSWORD}\n`);
    return new Workspace(server, request, made.workspace, name, email);
  }

  path(rest = ''): string {
    return rest ? `/w/${this.slug}/${rest}` : `/w/${this.slug}`;
  }

  /** Fills in the sign-in form that the page shows. */
  async fillSignIn(page: Page, password = PASSWORD): Promise<void> {
    await page.getByLabel('Mail address').fill(this.email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  async signIn(page: Page): Promise<void> {
    await page.goto('/sign-in');
    await this.fillSignIn(page);
    await expect(page.getByRole('heading', { level: 1, name: this.name })).toBeVisible();
  }

  /** Issues a key with the command line. */
  async key(name: string, kind: 'live' | 'test' | 'restricted' = 'live', scopes: string[] = []): Promise<IssuedKey> {
    const words = ['keys', 'issue', '--workspace', this.slug, '--name', name, '--kind', kind];
    return this.server.command(words.concat(scopes.flatMap((scope) => ['--scope', scope])));
  }

  /** Calls the API as a program would. */
  async call(key: string, path: string): Promise<APIResponse> {
    return this.request.get(`${this.server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  }

  /** The whole log through the API, newest first. Reading it adds an event per page, behind what is read. */
  async events(key: string): Promise<AuditEvent[]> {
    const events: AuditEvent[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const answer = await this.call(key, `/v1/audit-events?limit=100${cursor && `&cursor=${cursor}`}`);
      expect(answer.status()).toBe(200);
      const list: { data: AuditEvent[]; next_cursor: string | null } = await answer.json();
      events.push(...list.data);
      cursor = list.next_cursor;
    }
    return events;
  }
}

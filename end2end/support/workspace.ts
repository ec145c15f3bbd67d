import { randomUUID } from 'node:crypto';
import { expect, request, type APIRequestContext, type APIResponse, type Browser, type Page } from '@playwright/test';
import { enter, send } from './forms';
import { signInAsOperator } from './operator';
import { PASSWORD } from './password';
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

export { PASSWORD };

/** A workspace with its owner, made by the command line. */
export class Workspace {
  private constructor(
    private readonly server: Server,
    private readonly request: APIRequestContext,
    readonly slug: string,
    readonly name: string,
    readonly email: string,
    private readonly browser: Browser,
  ) {}

  static async create(server: Server, request: APIRequestContext, browser: Browser, name: string, email: string): Promise<Workspace> {
    const words = ['owner', 'create', '--email', email, '--workspace', name, '--name', 'Ana'];
    const made = await server.command<{ workspace: string }>(words, `${PASSWORD}\n`);
    return new Workspace(server, request, made.workspace, name, email, browser);
  }

  path(rest = ''): string {
    return rest ? `/w/${this.slug}/${rest}` : `/w/${this.slug}`;
  }

  /** Signs in as one of send0's staff. */
  async signInAsOperator(page: Page): Promise<void> {
    await signInAsOperator(page, await this.server.operator(randomUUID().slice(0, 8)));
  }

  /** A page in a browser of its own, signed in as one of send0's staff. */
  async operatorPage(): Promise<Page> {
    const context = await this.browser.newContext({ baseURL: this.server.url });
    const page = await context.newPage();
    await this.signInAsOperator(page);
    return page;
  }

  /** A page in a browser of its own, signed in as the owner, at the overview. */
  async ownerPage(): Promise<Page> {
    const context = await this.browser.newContext({ baseURL: this.server.url });
    const page = await context.newPage();
    await this.signInAs(page, this.email);
    return page;
  }

  /** What somebody does in a browser of their own, without any page. */
  private async aside<T>(does: (request: APIRequestContext) => Promise<T>): Promise<T> {
    const context = await request.newContext({ baseURL: this.server.url });
    try {
      return await does(context);
    } finally {
      await context.dispose();
    }
  }

  /** Makes the owner's proofs too old. */
  async ageProofs(): Promise<void> {
    await this.server.ageProofs(this.email);
  }

  /** Fills in the sign-in form that the page shows. */
  async fillSignIn(page: Page, password = PASSWORD): Promise<void> {
    await page.getByLabel('Mail address').fill(this.email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  /** Signs in without the page for it. */
  async enter(request: APIRequestContext, email = this.email): Promise<void> {
    await enter(request, email);
  }

  async signIn(page: Page): Promise<void> {
    await page.goto('/sign-in');
    await this.fillSignIn(page);
    await expect(page.getByRole('heading', { level: 1, name: this.name })).toBeVisible();
  }

  /** Demands no second factor of the members any more. */
  async demandNothing(page: Page): Promise<void> {
    await page.goto(this.path('settings'));
    await page.getByRole('radio', { name: /^Nothing/ }).check();
    await page.getByRole('button', { name: 'Save policy' }).click();
    await expect(page.getByText('Saved.')).toBeVisible();
  }

  /** Invites people through the page, as whoever is signed in. */
  async invite(page: Page, emails: string[], role: string): Promise<void> {
    await page.goto(this.path('members/invite'));
    await page.getByLabel('Mail addresses').fill(emails.join('\n'));
    await page.getByLabel('Role').selectOption(role);
    await page.getByRole('button', { name: 'Send invitations' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Team');
  }

  /** The link in the newest mail to an address. */
  async mailedLink(to: string): Promise<string> {
    const answer = await this.request.get(`${this.server.url}/dev/mailbox`, { headers: { accept: 'text/html' } });
    const mail = (await answer.text()).split('<li ').find((text) => text.includes(`data-to="${to}"`));
    const link = /href="([^"]+)"/.exec(mail ?? '')?.[1];
    if (!link) throw new Error(`no mail to ${to}`);
    return link;
  }

  /** Invites somebody as the owner, and gives the link in the mail. */
  async invitationLink(email: string, role: string): Promise<string> {
    await this.aside(async (owner) => {
      await this.enter(owner);
      await send(owner, 'invitations/server_fns/invite_members', { workspace: this.slug, emails: email, role });
    });
    return this.mailedLink(email);
  }

  /** Names an address outside as security contact through the page, as whoever is signed in. */
  async addContact(page: Page, email: string): Promise<void> {
    await page.goto(this.path('contacts'));
    await page.getByLabel('Mail address', { exact: true }).fill(email);
    await page.getByRole('button', { name: 'Add contact' }).click();
    await expect(page.getByText(`A link is on its way to ${email}`)).toBeVisible();
  }

  /** Names an address as the owner, in a browser of its own, and gives the link in the mail. */
  async contactLink(email: string): Promise<string> {
    const context = await this.browser.newContext({ baseURL: this.server.url });
    const page = await context.newPage();
    await this.enter(page.request);
    await this.addContact(page, email);
    await context.close();
    return this.mailedLink(email);
  }

  /** Somebody who has come in with an invitation. Gives their mail address. */
  async addMember(name: string, role: string): Promise<string> {
    const email = `${name.split(' ')[0].toLowerCase()}-${this.slug}@example.com`;
    const link = await this.invitationLink(email, role);
    await this.aside(async (invited) => {
      await invited.get(link);
      await send(invited, 'invitations/server_fns/join_workspace', { name, password: PASSWORD });
    });
    return email;
  }

  /** Signs in as a member, without the page for it, and goes to the overview. */
  async signInAs(page: Page, email: string): Promise<void> {
    await this.enter(page.request, email);
    await page.goto(this.path());
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

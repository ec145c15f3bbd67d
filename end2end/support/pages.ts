import { expect, type Page } from '@playwright/test';
import { issueKey, shownKey, summary } from './forms';
import { announce, draft as draftNotice } from './operator';
import { enrol } from './totp';
import { PASSWORD, type Workspace } from './workspace';

/** `announces`: it tells every workspace of its server something, which other tests do not expect. */
export type Look = { name: string; open: (page: Page, workspace: Workspace) => Promise<unknown>; announces?: boolean };

/** Runs where nobody is disturbed by it. */
export const ANNOUNCES = '@announces';

/** Opens a page as the owner. */
function signedIn(name: string, open: (page: Page, workspace: Workspace) => Promise<unknown>): Look {
  const enter = async (page: Page, workspace: Workspace) => {
    await workspace.enter(page.request);
    await open(page, workspace);
  };
  return { name, open: enter };
}

/** Some keys and calls, so that lists have something to show. */
async function furnish(workspace: Workspace): Promise<void> {
  const billing = await workspace.key('Billing service');
  const deploy = await workspace.key('CI deploy', 'restricted', ['workspace.read', 'members.read']);
  await workspace.key('Local development', 'test');
  await workspace.call(billing.key, '/v1/workspace');
  await workspace.call(billing.key, '/v1/api-keys');
  await workspace.call(deploy.key, '/v1/audit-events');
}

const openKey = async (page: Page, workspace: Workspace) => {
  await furnish(workspace);
  await page.goto(workspace.path('api-keys'));
  await page.getByRole('link', { name: 'CI deploy' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('CI deploy');
};

/** Some people: members, and invitations that wait. */
async function populate(page: Page, workspace: Workspace): Promise<void> {
  await workspace.invite(page, ['waits@example.com', 'also-waits@example.com'], 'viewer');
  await workspace.addMember('Bo Developer', 'developer');
}

const openMember = async (page: Page, workspace: Workspace) => {
  await workspace.addMember('Bo Developer', 'developer');
  await page.goto(workspace.path('members'));
  await page.getByRole('link', { name: 'Bo Developer' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Bo Developer');
};

/** Adds an entry to the draft of a list. */
async function draft(page: Page, workspace: Workspace, door: 'dashboard' | 'api', cidr: string, note: string): Promise<void> {
  await page.goto(workspace.path(`allowlist/${door}`));
  await page.getByLabel('Address or network').fill(cidr);
  await page.getByLabel('Note').fill(note);
  await page.getByRole('button', { name: 'Add to the draft' }).click();
  await expect(page.getByRole('row', { name: cidr })).toBeVisible();
}

/** A list of the API that is in force and waits to be confirmed. */
const openPending = async (page: Page, workspace: Workspace) => {
  await furnish(workspace);
  await draft(page, workspace, 'api', '192.0.2.0/24', 'Build servers');
  await page.goto(workspace.path('allowlist/api/review'));
  await page.getByRole('button', { name: 'Save the list' }).click();
  await expect(page.getByText('The list of the API is not confirmed yet')).toBeVisible();
};

/** A notice that the workspace was told of, as it sees it. */
const openNotice = async (page: Page, workspace: Workspace) => {
  await announce(page, workspace, `Acme Mail ${workspace.slug}`);
  await page.getByRole('link', { name: workspace.slug }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('New subprocessor');
};

/** A request about compliance, as the workspace sees it. */
const askFor = async (page: Page, workspace: Workspace) => {
  await page.goto(workspace.path('compliance'));
  await page.getByLabel('What for').selectOption('dpa');
  await page.getByLabel('What exactly').fill('In the name of Acme GmbH.');
  await page.getByRole('button', { name: 'Send the request' }).click();
  await expect(page.getByText('Your request is with send0.')).toBeVisible();
};

/** Asks for a stream to an address, which nobody answers at. */
async function stream(page: Page, workspace: Workspace, url: string): Promise<void> {
  await page.goto(workspace.path('streams/new?kind=https'));
  await page.getByLabel('Name', { exact: true }).fill('SIEM');
  await page.getByLabel('Address').fill(url);
  await page.getByRole('button', { name: 'Make the stream' }).click();
  await expect(page.locator('.secret-value, [role="alert"]').first()).toBeVisible();
}

/** Opens a page as one of send0's staff. */
function operating(name: string, open: (page: Page, workspace: Workspace) => Promise<unknown>): Look {
  const enter = async (page: Page, workspace: Workspace) => {
    await workspace.signInAsOperator(page);
    await open(page, workspace);
  };
  return { name, open: enter };
}

/** The workspace as operators see it. */
const openAsOperator = async (page: Page, workspace: Workspace) => {
  await page.goto('/operator/workspaces');
  const row = page.getByRole('row').filter({ has: page.getByText(workspace.slug, { exact: true }) });
  await row.getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(workspace.name);
};

/** The same look, which announces something. */
const announcing =
  (look: typeof signedIn): typeof signedIn =>
  (name, open) => ({ ...look(name, open), announces: true });

/** Every page, in every state that looks different. Set-up is not here: it needs a server of its own. */
export const LOOKS: Look[] = [
  { name: 'sign-in', open: (page) => page.goto('/sign-in') },
  {
    name: 'sign-in-refused',
    open: async (page, workspace) => {
      await page.goto('/sign-in');
      await workspace.fillSignIn(page, 'not the password');
      await expect(summary(page)).toBeVisible();
    },
  },
  {
    name: 'invitation-new',
    open: async (page, workspace) => {
      await page.goto(await workspace.invitationLink('new@example.com', 'developer'));
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Join Acme');
    },
  },
  { name: 'invitation-void', open: (page) => page.goto('/invitations') },
  { name: 'address-void', open: (page) => page.goto('/account/address') },
  {
    name: 'contact-arrival',
    open: async (page, workspace) => {
      await page.goto(await workspace.contactLink('soc@example.com'));
      await expect(page.getByText('names soc@example.com as a security contact')).toBeVisible();
    },
  },
  { name: 'contact-void', open: (page) => page.goto('/contacts') },
  { name: 'mailbox', open: async (page, workspace) => {
    await workspace.invitationLink('new@example.com', 'developer');
    await page.goto('/dev/mailbox');
  } },
  { name: 'kit', open: (page) => page.goto('/dev/kit') },
  { name: 'nothing-here', open: (page) => page.goto('/nothing/here') },
  signedIn('overview', async (page, workspace) => {
    await furnish(workspace);
    await page.goto(workspace.path());
  }),
  signedIn('overview-new', (page, workspace) => page.goto(workspace.path())),
  signedIn('team', async (page, workspace) => {
    await populate(page, workspace);
    await page.goto(workspace.path('members'));
  }),
  signedIn('team-alone', (page, workspace) => page.goto(workspace.path('members'))),
  signedIn('team-invited', (page, workspace) => workspace.invite(page, ['new@example.com', 'nonsense'], 'viewer')),
  signedIn('team-link', async (page, workspace) => {
    await workspace.invite(page, ['new@example.com'], 'viewer');
    await page.getByRole('button', { name: 'New link' }).click();
    await expect(page.getByText('/invitations/')).toBeVisible();
  }),
  signedIn('invite', (page, workspace) => page.goto(workspace.path('members/invite'))),
  signedIn('invite-refused', async (page, workspace) => {
    await page.goto(workspace.path('members/invite'));
    await page.getByLabel('Mail addresses').fill(' , ');
    await page.getByRole('button', { name: 'Send invitations' }).click();
    await expect(summary(page)).toBeVisible();
  }),
  signedIn('member', openMember),
  signedIn('yourself', async (page, workspace) => {
    await page.goto(workspace.path('members'));
    await page.getByRole('main').getByRole('link', { name: 'Ana' }).click();
    await expect(page.getByText('Leave this workspace')).toBeVisible();
  }),
  signedIn('roles', (page, workspace) => page.goto(workspace.path('roles'))),
  signedIn('contacts', async (page, workspace) => {
    await workspace.addContact(page, 'soc@example.com');
    await page.reload();
  }),
  signedIn('contacts-refused', async (page, workspace) => {
    await page.goto(workspace.path('contacts'));
    for (const kind of await page.getByRole('checkbox').all()) await kind.uncheck();
    await page.getByLabel('Mail address', { exact: true }).fill('ana@nowhere');
    await page.getByRole('button', { name: 'Add contact' }).click();
    await expect(summary(page)).toBeVisible();
  }),
  signedIn('contact', async (page, workspace) => {
    await page.goto(workspace.path('contacts'));
    await page.getByRole('table').getByRole('link', { name: 'Ana' }).click();
    await expect(page.getByText('Remove this contact')).toBeVisible();
  }),
  signedIn('streams-none', (page, workspace) => page.goto(workspace.path('streams'))),
  signedIn('streams', async (page, workspace) => {
    await stream(page, workspace, 'https://siem.example.com/in');
    await page.goto(workspace.path('streams'));
  }),
  signedIn('stream-kinds', (page, workspace) => page.goto(workspace.path('streams/new'))),
  ...['https', 'splunk', 'elastic', 'datadog', 'syslog', 's3'].map((kind) =>
    signedIn(`stream-new-${kind}`, (page, workspace) => page.goto(workspace.path(`streams/new?kind=${kind}`))),
  ),
  signedIn('stream-refused', (page, workspace) => stream(page, workspace, 'https://10.0.0.1')),
  signedIn('stream-secret', (page, workspace) => stream(page, workspace, 'https://siem.example.com/in')),
  signedIn('stream', async (page, workspace) => {
    await stream(page, workspace, 'https://siem.example.com/in');
    await page.getByRole('link', { name: 'I have stored it' }).click();
    await expect(page.getByText('Remove this stream')).toBeVisible();
  }),
  signedIn('settings', (page, workspace) => page.goto(workspace.path('settings'))),
  signedIn('account', (page) => page.goto('/account')),
  signedIn('account-address', async (page) => {
    await page.goto('/account');
    await page.getByLabel('New mail address').fill('ana@elsewhere.example');
    await page.getByLabel('Present password').first().fill(PASSWORD);
    await page.getByRole('button', { name: 'Send both links' }).click();
    await expect(page.getByText('Both by')).toBeVisible();
  }),
  signedIn('security', (page) => page.goto('/account/security')),
  signedIn('security-enrolled', (page) => enrol(page)),
  signedIn('app', async (page) => {
    await page.goto('/account/security');
    await page.getByRole('button', { name: 'Set up an app' }).click();
    await page.getByRole('button', { name: 'Show my recovery codes' }).click();
    await page.getByRole('link', { name: 'I have saved them' }).click();
    await expect(page.getByRole('img', { name: 'QR code' })).toBeVisible();
  }),
  signedIn('recovery-codes', async (page) => {
    await page.goto('/account/security');
    await page.getByRole('button', { name: 'Set up an app' }).click();
    await page.getByRole('button', { name: 'Show my recovery codes' }).click();
    await expect(page.locator('.codes code')).toHaveCount(10);
  }),
  signedIn('sessions', (page) => page.goto('/account/sessions')),
  signedIn('prove', async (page, workspace) => {
    await workspace.ageProofs();
    await page.goto(workspace.path('api-keys/new'));
    await issueKey(page, { name: 'CI deploy', scopes: ['workspace.read'] });
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Confirm that it is you');
  }),
  signedIn('second-factor', async (page, workspace) => {
    await enrol(page);
    await page.context().clearCookies();
    await page.goto('/sign-in');
    await workspace.fillSignIn(page);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Second factor');
  }),
  { name: 'forgot', open: (page) => page.goto('/sign-in/forgot?sent') },
  {
    name: 'reset',
    open: async (page, workspace) => {
      await page.goto('/sign-in/forgot');
      await page.getByLabel('Mail address').fill(workspace.email);
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.goto(await workspace.mailedLink(workspace.email));
      await expect(page.getByLabel('New password')).toBeVisible();
    },
  },
  { name: 'reset-void', open: (page) => page.goto('/sign-in/reset') },
  signedIn('new-workspace', (page) => page.goto('/workspaces/new')),
  signedIn('keys-empty', (page, workspace) => page.goto(workspace.path('api-keys'))),
  signedIn('keys', async (page, workspace) => {
    await furnish(workspace);
    await page.goto(workspace.path('api-keys'));
  }),
  signedIn('new-key', (page, workspace) => page.goto(workspace.path('api-keys/new'))),
  signedIn('new-key-refused', async (page, workspace) => {
    await page.goto(workspace.path('api-keys/new'));
    await issueKey(page, { name: '   ' });
    await expect(summary(page)).toBeVisible();
  }),
  signedIn('secret', async (page, workspace) => {
    await page.goto(workspace.path('api-keys/new'));
    await issueKey(page, { name: 'CI deploy', scopes: ['workspace.read'] });
    await shownKey(page);
  }),
  signedIn('secret-gone', async (page, workspace) => {
    const { id } = await workspace.key('CI deploy');
    await page.goto(workspace.path(`api-keys/${id}/secret`));
  }),
  signedIn('key', openKey),
  signedIn('key-revoked', async (page, workspace) => {
    await openKey(page, workspace);
    await page.getByLabel('Reason').fill('The laptop was lost');
    await page.getByRole('button', { name: 'Revoke key' }).click();
    await expect(page.getByRole('status')).toContainText('The key is revoked.');
  }),
  signedIn('allowlist-empty', (page, workspace) => page.goto(workspace.path('allowlist'))),
  signedIn('allowlist-pending', openPending),
  signedIn('allowlist-checked', async (page, workspace) => {
    await openPending(page, workspace);
    await page.goto(workspace.path('allowlist?address=192.0.2.7'));
  }),
  signedIn('allowlist-draft', (page, workspace) => draft(page, workspace, 'dashboard', '10.0.0.0/8', 'The office')),
  signedIn('allowlist-draft-refused', async (page, workspace) => {
    await page.goto(workspace.path('allowlist/dashboard'));
    await page.getByLabel('Address or network').fill('10.0.0.1/8');
    await page.getByRole('button', { name: 'Add to the draft' }).click();
    await expect(summary(page)).toBeVisible();
  }),
  signedIn('allowlist-review', async (page, workspace) => {
    await furnish(workspace);
    await draft(page, workspace, 'api', '127.0.0.0/8', 'This machine');
    await draft(page, workspace, 'api', '192.0.2.0/24', 'Build servers');
    await page.goto(workspace.path('allowlist/api/review'));
  }),
  signedIn('allowlist-review-guarded', async (page, workspace) => {
    await draft(page, workspace, 'dashboard', '10.0.0.0/8', 'The office');
    await page.goto(workspace.path('allowlist/dashboard/review'));
  }),
  { name: 'public-security', open: (page) => page.goto('/security') },
  {
    name: 'public-subprocessors',
    announces: true,
    open: async (page, workspace) => {
      const operator = await workspace.operatorPage();
      await draftNotice(operator, `Beta Mail ${workspace.slug}`, 45);
      await operator.getByRole('button', { name: 'Publish' }).click();
      await expect(operator.getByText('Published.')).toBeVisible();
      await operator.context().close();
      await page.goto('/subprocessors');
    },
  },
  { name: 'public-changelog', open: (page) => page.goto('/changelog') },
  { name: 'public-compliance', open: (page) => page.goto('/compliance') },
  { name: 'compliance-ask', open: (page) => page.goto('/compliance/ask') },
  {
    name: 'compliance-asked',
    open: async (page, workspace) => {
      await page.goto('/compliance/ask');
      await page.getByLabel('What for').selectOption('control');
      await page.getByLabel('What exactly').fill('Do you support our own keys?');
      await page.getByLabel('Your name').fill('Gil Buyer');
      await page.getByLabel('Company').fill('Globex');
      await page.getByLabel('Mail address').fill(`gil-${workspace.slug}@example.com`);
      await page.getByRole('button', { name: 'Send me the link' }).click();
      await expect(page.getByText('A mail is on its way')).toBeVisible();
      await page.goto(await workspace.mailedLink(`gil-${workspace.slug}@example.com`));
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your request');
    },
  },
  { name: 'document-void', open: (page) => page.goto('/documents') },
  signedIn('compliance-empty', (page, workspace) => page.goto(workspace.path('compliance'))),
  signedIn('compliance', async (page, workspace) => {
    await askFor(page, workspace);
    await page.goto(workspace.path('compliance'));
  }),
  signedIn('compliance-request', askFor),
  operating('operator-compliance', (page) => page.goto('/operator/compliance')),
  operating('operator-framework', (page) => page.goto('/operator/compliance/gdpr')),
  operating('operator-requests', async (page, workspace) => {
    const owner = await workspace.ownerPage();
    await askFor(owner, workspace);
    await owner.context().close();
    await page.goto('/operator/requests');
  }),
  operating('operator-request', async (page, workspace) => {
    const owner = await workspace.ownerPage();
    await askFor(owner, workspace);
    const id = owner.url().split('/').at(-1)!;
    await owner.context().close();
    await page.goto('/operator/requests');
    await page.locator(`a[href$="${id}"]`).click();
    await expect(page.getByRole('button', { name: 'Send the answer' })).toBeVisible();
  }),
  operating('operator-documents', (page) => page.goto('/operator/documents')),
  { name: 'subscribe', open: (page) => page.goto('/subprocessors/subscribe') },
  {
    name: 'subscribe-refused',
    open: async (page) => {
      await page.goto('/subprocessors/subscribe');
      await page.getByLabel('Mail address').fill('nobody@');
      await page.locator('form').evaluate((form: HTMLFormElement) => (form.noValidate = true));
      await page.getByRole('button', { name: 'Subscribe' }).click();
      await expect(summary(page)).toBeVisible();
    },
  },
  { name: 'subscription-void', open: (page) => page.goto('/subscription') },
  signedIn('notices-empty', (page, workspace) => page.goto(workspace.path('notices'))),
  announcing(signedIn)('notices', async (page, workspace) => {
    await announce(page, workspace, `Gamma Mail ${workspace.slug}`);
  }),
  announcing(signedIn)('notice', openNotice),
  announcing(signedIn)('notice-refused', async (page, workspace) => {
    await openNotice(page, workspace);
    await page.getByRole('radio', { name: 'Object' }).check();
    await page.getByRole('button', { name: 'Send the answer' }).click();
    await expect(summary(page)).toBeVisible();
  }),
  operating('operator', (page) => page.goto('/operator')),
  operating('operator-new-refused', async (page) => {
    await draftNotice(page, 'Delta Mail', 3);
    await expect(summary(page)).toBeVisible();
  }),
  operating('operator-draft', async (page, workspace) => {
    await draftNotice(page, `Epsilon Mail ${workspace.slug}`, 45);
    await expect(page.getByText('Drafted.')).toBeVisible();
  }),
  operating('operator-remove', async (page) => {
    await page.getByRole('link', { name: 'Remove Upstash' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('removal of Upstash');
  }),
  announcing(operating)('operator-notice', async (page, workspace) => {
    const vendor = `Zeta Mail ${workspace.slug}`;
    const owner = await workspace.ownerPage();
    await announce(owner, workspace, vendor);
    await owner.getByRole('link', { name: vendor }).click();
    await owner.getByRole('radio', { name: 'Object' }).check();
    await owner.getByLabel('Reason of an objection').fill('Not in us-east-1.');
    await owner.getByRole('button', { name: 'Send the answer' }).click();
    await expect(owner.getByText('Your objection is with send0.')).toBeVisible();
    await owner.context().close();
    await page.goto('/operator');
    await page.getByRole('link', { name: vendor }).click();
    await expect(page.getByText('Not in us-east-1.').first()).toBeVisible();
  }),
  operating('operator-workspaces', (page) => page.goto('/operator/workspaces')),
  operating('operator-workspace', openAsOperator),
  operating('operator-workspace-refused', async (page, workspace) => {
    await openAsOperator(page, workspace);
    await page.getByLabel('Why').fill('They have outgrown it.');
    await page.getByRole('button', { name: 'Change the plan' }).click();
    await expect(summary(page)).toBeVisible();
  }),
  operating('operator-log', (page) => page.goto('/operator/log')),
  operating('operator-log-no-match', (page) => page.goto('/operator/log?actor=nobody@example.com')),
  operating('operator-event', async (page) => {
    await page.goto('/operator/log?action=operator.created');
    await page.getByRole('link', { name: 'made the operator Ops' }).first().click();
    await expect(page.getByText('In full')).toBeVisible();
  }),
  signedIn('audit-log', async (page, workspace) => {
    await furnish(workspace);
    await page.goto(workspace.path('audit-log'));
  }),
  signedIn('audit-log-misread', (page, workspace) => page.goto(workspace.path('audit-log?from=yesterday&outcome=maybe'))),
  signedIn('retention', (page, workspace) => page.goto(workspace.path('retention'))),
  signedIn('retention-hold', async (page, workspace) => {
    await page.goto(workspace.path('retention'));
    const hold = page.getByRole('link', { name: 'Matter 12/2026' });
    // The others find the one that the first of them has placed.
    if ((await hold.count()) === 0) {
      await page.getByLabel('Name of the hold').fill('Matter 12/2026');
      await page.getByRole('button', { name: 'Place legal hold' }).click();
    }
    await hold.click();
    await expect(page.getByRole('heading', { name: 'Release this hold' })).toBeVisible();
  }),
  signedIn('audit-log-exports', (page, workspace) => page.goto(workspace.path('audit-log/exports'))),
  signedIn('audit-log-query-misread', (page, workspace) => page.goto(workspace.path('audit-log?q=ana+outcome%3Amaybe'))),
  signedIn('audit-log-search', async (page, workspace) => {
    await furnish(workspace);
    await page.goto(workspace.path('audit-log?q=source%3Aapi'));
    // Not by a click, after which the keyboard would go on from there.
    await page.locator('details.saving').evaluate((one: HTMLDetailsElement) => (one.open = true));
  }),
  signedIn('audit-log-live', (page, workspace) => page.goto(workspace.path('audit-log?live=1'))),
  signedIn('audit-log-view', async (page, workspace) => {
    await page.goto(workspace.path('audit-log?q=outcome%3Adenied'));
    await page.getByText('Save this search as a view').click();
    await page.getByLabel('Name').fill('Refusals');
    await page.getByRole('button', { name: 'Save view' }).click();
    await page.getByRole('link', { name: 'Rename or remove this view' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Refusals');
  }),
  signedIn('audit-log-no-match', (page, workspace) => page.goto(workspace.path('audit-log?actor=nobody@example.com'))),
  signedIn('event', async (page, workspace) => {
    await furnish(workspace);
    await page.goto(workspace.path('audit-log'));
    await page.getByRole('link', { name: 'issued API key CI deploy' }).click();
    await expect(page.getByText('Before and after')).toBeVisible();
  }),
];

export const SCHEMES = ['light', 'dark'] as const;
export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 812 } } as const;

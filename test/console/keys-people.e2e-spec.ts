// Keys and people: who may do what, made, changed and ended by who may.
import { type Browser } from 'playwright-core';
import { Client, sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';
import { Guests, statusOf } from './guests.js';
import { rowsOf } from './jobs.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let tenant: Client;
  let guests: Guests;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    tenant = await world.newTenant();
    guests = new Guests(browser);
  });
  afterEach(() => guests.leave());

  const visitor = (role: string): Promise<Visitor> => guests.invite(tenant, role);
  /** What the dialog shows once. */
  const shownKey = async ({ page }: Visitor): Promise<string> => {
    const shown = page.getByRole('dialog').locator('.copied', { hasText: 'The key' }).locator('.said');
    return (await shown.innerText()).trim();
  };

  it('an owner makes an agent key, which is shown once with what its client is given, and it acts as that agent', async () => {
    const owner = await visitor('owner');
    const { page } = owner;
    await owner.open('/keys');
    await page.getByRole('button', { name: 'Make a key…' }).click();
    await page.getByLabel('Agent', { exact: true }).fill('my-agent');
    await page.getByLabel('May spend, in US dollars').fill('10');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('Copy the key now').waitFor();
    const key = await shownKey(owner);
    expect(key).toMatch(/^hld_/);
    await page.getByText(`claude mcp add --transport http haldir ${owner.origin}/mcp`).waitFor();
    await page.getByLabel('Set it up in').selectOption('codex');
    await page.getByText('[mcp_servers.haldir]').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    const row = page.getByRole('row', { name: /my-agent/ });
    await row.getByText('spends up to $10.00 a day').waitFor();
    expect(await page.content()).not.toContain(key);
    const agent = new Client(tenant.url, key);
    expect((await agent.post('/v1/sessions', { agent_id: 'my-agent' })).status).toBe(201);
    expect((await agent.post('/v1/sessions', { agent_id: 'another' })).status).toBe(403);
    expect((await agent.get('/v1/keys')).status).toBe(403);
  });

  it('operator and connector keys hold what was asked for', async () => {
    const owner = await visitor('owner');
    const { page } = owner;
    await owner.open('/keys');
    await page.getByRole('button', { name: 'Make a key…' }).click();
    await page.getByLabel('Kind', { exact: true }).selectOption('key');
    await page.getByLabel('What it may do').selectOption('some');
    await page.getByLabel('audit:read').check();
    await page.getByLabel('Name', { exact: true }).fill('reader');
    await page.getByLabel('Ends', { exact: true }).selectOption('30');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('Copy the key now').waitFor();
    const reader = new Client(tenant.url, await shownKey(owner));
    expect([(await reader.get('/v1/audit')).status, (await reader.get('/v1/keys')).status]).toEqual([200, 403]);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Make a key…' }).click();
    await page.getByLabel('Kind', { exact: true }).selectOption('connector');
    await page.getByLabel('Upstream', { exact: true }).fill('not a name');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('alert').filter({ hasText: 'connector.upstream: expected a name of an upstream' }).waitFor();
    await page.getByLabel('Upstream', { exact: true }).fill('files');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('haldir connect files').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('link', { name: 'Connector', exact: true }).click();
    await page.getByText('stand for files').waitFor();
    expect((await rowsOf(page.getByRole('table', { name: 'API keys' }))).length).toBe(1);
  });

  it('a key is rotated with an overlap, and revoked by typing its prefix', async () => {
    const { body } = await tenant.post<{ key: string; prefix: string }>('/v1/keys', {
      name: 'ci',
      scopes: ['audit:read'],
    });
    const old = new Client(tenant.url, body.key);
    const owner = await visitor('owner');
    const { page } = owner;
    await owner.open('/keys');
    await page.getByRole('button', { name: `Rotate ${body.prefix}` }).click();
    await page.getByLabel('The old key is good for').selectOption('3600');
    await page.getByRole('button', { name: 'Rotate', exact: true }).click();
    await page.getByText('Copy the key now').waitFor();
    const fresh = new Client(tenant.url, await shownKey(owner));
    await page.getByRole('button', { name: 'Done' }).click();
    expect([(await old.get('/v1/audit')).status, (await fresh.get('/v1/audit')).status]).toEqual([200, 200]);
    await page.getByText(`rotated from ${body.prefix}`).waitFor();
    await page.getByRole('button', { name: `Revoke ${body.prefix}` }).click();
    const revoke = page.getByRole('dialog').getByRole('button', { name: 'Revoke' });
    expect(await revoke.isDisabled()).toBe(true);
    await page.getByLabel(`Type ${body.prefix} to go on`).fill(body.prefix);
    await revoke.click();
    await page.getByRole('button', { name: `Revoke ${body.prefix}` }).waitFor({ state: 'detached' });
    expect([(await old.get('/v1/audit')).status, (await fresh.get('/v1/audit')).status]).toEqual([401, 200]);
    await page.getByRole('link', { name: 'Show revoked and expired' }).click();
    await page.getByRole('row', { name: new RegExp(`${body.prefix} .*revoked$`) }).waitFor();
  });

  it('an owner invites somebody by a link that is shown once, gives them another role, and removes them', async () => {
    const owner = await visitor('owner');
    const { page } = owner;
    await owner.open('/people');
    await page.getByRole('button', { name: 'Invite…' }).click();
    await page.getByLabel('E-mail address').fill('dana@example.com');
    await page.getByLabel('Role', { exact: true }).selectOption('auditor');
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.getByText('and to nobody else').waitFor();
    const link = (await page.getByRole('dialog').locator('.said').innerText()).trim();
    await page.getByRole('button', { name: 'Done' }).click();
    const dana = await Visitor.of(browser, tenant.url);
    await dana.page.goto(link);
    await dana.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await dana.page.getByText('You are signed in.').first().waitFor();
    await page.getByRole('button', { name: 'Change role (dana@example.com)' }).click();
    await page.getByRole('dialog').getByLabel('Role', { exact: true }).selectOption('approver');
    await page.getByRole('dialog').getByRole('button', { name: 'Change' }).click();
    await page.getByRole('row', { name: /dana@example\.com.*approver/ }).waitFor();
    await dana.open('/people');
    await dana.page.getByRole('row', { name: /dana@example\.com \(you\)/ }).waitFor();
    expect(await dana.page.getByRole('table', { name: 'People' }).getByRole('button').count()).toBe(0);
    await page.getByRole('button', { name: 'Remove (dana@example.com)' }).click();
    await page.getByLabel('Type dana@example.com to go on').fill('dana@example.com');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('row', { name: /dana@example\.com/ }).waitFor({ state: 'detached' });
    await dana.page.reload();
    await dana.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(dana.faults).toEqual([]);
    await dana.close();
    await page.getByRole('button', { name: /^Remove \(owner1@/ }).click();
    await page.getByLabel('Type owner1@example.com to go on').fill('owner1@example.com');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('alert').filter({ hasText: 'owner' }).waitFor();
  });

  it('a person makes and removes passkeys, sees where they are signed in, and ends it there', async () => {
    const auditor = await visitor('auditor');
    const { page } = auditor;
    await auditor.open('/people');
    await page.getByRole('button', { name: 'Make a passkey' }).click();
    const passkeys = page.getByRole('table', { name: 'Your passkeys' });
    await passkeys.getByText('For localhost').waitFor();
    await passkeys.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('None yet. A passkey').waitFor();
    // The same person, in another browser.
    const other = await Visitor.of(browser, tenant.url);
    await other.signIn(tenant, 'auditor', 'auditor1@example.com');
    await other.open('/people');
    await page.reload();
    const signIns = page.getByRole('table', { name: 'Where you are signed in' });
    await signIns.getByRole('button', { name: 'End the sign-in of a link' }).click();
    await signIns.getByRole('button', { name: 'End the sign-in of a link' }).waitFor({ state: 'detached' });
    await other.page.reload();
    await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await other.close();
    await signIns.getByRole('button', { name: 'End this sign-in, here' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('an auditor reads keys and people, and is refused whatever is posted', async () => {
    const auditor = await visitor('auditor');
    const { page } = auditor;
    await auditor.open('/keys');
    await page.getByRole('table', { name: 'API keys' }).waitFor();
    expect(await page.locator('#main button').count()).toBe(0);
    for (const path of ['/v1/keys', '/v1/keys/hld_x/rotate', '/v1/people', '/v1/budgets', '/v1/secrets', '/v1/secrets/x/rollback']) {
      const status = await statusOf(auditor, 'POST', path);
      expect([path, status]).toEqual([path, 403]);
    }
  }); // prettier-ignore
});

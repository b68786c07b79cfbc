// What agents did, stopping them, and ending what they have, as people do it.
import { type Browser } from 'playwright-core';
import { Client, eventually, Scenario, sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, type Visitor } from './browser.js';
import { Guests, statusOf } from './guests.js';
import { Steps } from './jobs.js';

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let scenario: Scenario;
  let guests: Guests;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    scenario = await Scenario.begin(world);
    guests = new Guests(browser);
  });
  afterEach(async () => {
    await guests.leave();
    await scenario.end();
  });

  const visitor = (role: string, options: Parameters<Guests['invite']>[2] = {}): Promise<Visitor> =>
    guests.invite(scenario.tenant, role, options);
  /** An agent with a key of its own, which has acted. */
  const agent = async (agent_id: string): Promise<{ client: Client; session: string }> => {
    const ceiling = { agent_id, scopes: ['read'], ttl: 3600, spend_limit: 10 };
    const { body } = await scenario.tenant.post<{ key: string }>('/v1/keys', { agent: ceiling });
    const client = new Client(scenario.tenant.url, body.key);
    const session = await client.session({ agent_id, spend_limit: 4 });
    await client.post('/v1/audit', { session_id: session, tool: 'mail', action: 'sent a letter' });
    return { client, session };
  };
  const acts = async ({ client, session }: { client: Client; session: string }): Promise<number> =>
    (await client.post('/v1/audit', { session_id: session, tool: 'mail', action: 'again' })).status;

  it('an agent is frozen in two steps: it is opened, and frozen with a reason; nothing of it goes on', async () => {
    const mine = await agent('my-agent');
    const other = await agent('other-agent');
    expect(await acts(mine)).toBe(201);
    const operator = await visitor('operator');
    const { page } = operator;
    await operator.open('/agents');
    const steps = new Steps();
    await steps.press(page.getByRole('link', { name: 'my-agent' }));
    await steps.press(page.getByRole('button', { name: 'Freeze…' }));
    await page.getByLabel('Reason').fill('Sends too many letters');
    expect(steps.count).toBe(2);
    await page.getByRole('dialog').getByRole('button', { name: 'Freeze' }).click();
    await page.getByRole('button', { name: 'Unfreeze' }).waitFor();
    await page.getByText('Sends too many letters').first().waitFor();
    expect(await acts(mine)).toBe(401);
    expect(await acts(other)).toBe(201);
    await operator.open('/agents');
    await page
      .getByRole('row', { name: /my-agent/ })
      .getByText('Frozen')
      .waitFor();
    await page.getByRole('link', { name: 'my-agent' }).click();
    await page.getByRole('button', { name: 'Unfreeze' }).click();
    await page.getByRole('button', { name: 'Freeze…' }).waitFor();
    expect(await acts(mine)).toBe(201);
  });

  it('says that every agent is frozen, and an owner lets them go on', async () => {
    const mine = await agent('my-agent');
    await scenario.tenant.post('/v1/freeze', { reason: 'Incident 17' });
    expect(await acts(mine)).toBe(401);
    const owner = await visitor('owner');
    const { page } = owner;
    for (const path of ['/agents', '/agents?agent=my-agent']) {
      await owner.open(path);
      await page.getByText('Every agent is frozen.').waitFor();
      await page.getByText('Incident 17').waitFor();
    }
    await page.getByRole('button', { name: 'Unfreeze all' }).click();
    await page.getByText('Every agent is frozen.').waitFor({ state: 'detached' });
    expect(await acts(mine)).toBe(201);
  });

  it('what an agent did at a time is one filter from it', async () => {
    const mine = await agent('my-agent');
    await acts(await agent('other-agent'));
    const { body } = await scenario.tenant.get<{ entries: { timestamp: number; action: string }[] }>(
      '/v1/audit?agent_id=my-agent',
    );
    const letter = body.entries.find(({ action }) => action === 'sent a letter');
    // Where the browser is, which is UTC.
    const minute = new Date((letter?.timestamp ?? 0) * 1000).toISOString().slice(0, 16);
    const auditor = await visitor('auditor');
    const { page } = auditor;
    await auditor.open('/agents?agent=my-agent');
    await page.getByRole('link', { name: 'All of it, in the audit log' }).click();
    await page.getByRole('link', { name: 'Remove the filter Agent: my-agent' }).waitFor();
    const steps = new Steps();
    await page.getByLabel('Filter by').selectOption('at');
    await page.getByLabel('What it is').fill(minute);
    await steps.press(page.getByRole('button', { name: 'Add filter' }));
    await page.getByRole('link', { name: /^Remove the filter At/ }).waitFor();
    await page.locator('.entries').getByText('sent a letter').first().waitFor();
    expect(steps.count).toBe(1);
    expect(await page.locator('.entries').getByText('other-agent').count()).toBe(0);
    // The same rows for whoever is given the address.
    expect(new URL(page.url()).searchParams.get('at')).toBe(`${minute}Z`);
    await auditor.open(`/audit?agent_id=my-agent&at=${encodeURIComponent('2001-01-01T00:00Z')}`);
    await page.getByText('No entries match.').waitFor();
    expect(await acts(mine)).toBe(201);
  });

  it('a session is revoked by typing the name of its agent, which is frozen then', async () => {
    const mine = await agent('my-agent');
    const operator = await visitor('operator');
    const { page } = operator;
    await operator.open('/sessions?agent_id=my-agent');
    await page.getByText('$0.00 of $4.00').waitFor();
    await page.getByRole('button', { name: 'Revoke a session of my-agent' }).click();
    const revoke = page.getByRole('dialog').getByRole('button', { name: 'Revoke' });
    expect(await revoke.isDisabled()).toBe(true);
    await page.getByLabel('Type my-agent to go on').fill('my-agen');
    expect(await revoke.isDisabled()).toBe(true);
    await page.getByLabel('Type my-agent to go on').fill('my-agent');
    await revoke.click();
    await page.getByText('No session is active.').waitFor();
    await eventually(async () => expect(await page.evaluate('document.activeElement.id')).toBe('main'), 5_000);
    expect(await acts(mine)).not.toBe(201);
    await page.getByRole('link', { name: 'Revoked', exact: true }).click();
    await page
      .getByRole('row', { name: /my-agent/ })
      .getByText('Revoked')
      .waitFor();
    await page.getByRole('link', { name: 'my-agent', exact: true }).click();
    await page.getByRole('button', { name: 'Unfreeze' }).waitFor();
  });

  it('flags are grouped by reason, and lead to their entries', async () => {
    const { session } = await agent('my-agent');
    await scenario.tenant.post('/v1/audit', { session_id: session, tool: 'gpu', action: 'rent', cost_usd: 5000 });
    const auditor = await visitor('auditor');
    const { page } = auditor;
    await auditor.open('/flags');
    const group = page.locator('section', { hasText: 'One action that cost much' });
    await group.getByText('1 agent, first').waitFor();
    await group.getByRole('row', { name: /rent of gpu/ }).waitFor();
    await auditor.open('/flags?agent_id=nobody&days=30');
    await page.getByText('No anomalies in 30 days.').waitFor();
    await page.getByRole('link', { name: 'Remove the filter Agent: nobody' }).click();
    await group
      .getByRole('row', { name: /rent of gpu/ })
      .getByRole('link')
      .first()
      .click();
    await page.getByRole('dialog', { name: 'Entry' }).getByText('Hash of this entry').waitFor();
    expect(new URL(page.url()).pathname).toBe('/audit');
  });

  it('an auditor reads all of it, and has nothing to press', async () => {
    await agent('my-agent');
    const auditor = await visitor('auditor');
    const { page } = auditor;
    for (const path of ['/agents', '/agents?agent=my-agent', '/sessions', '/flags']) {
      await auditor.open(path);
      await page.getByText('my-agent').or(page.getByText('No anomalies')).first().waitFor();
      expect([path, await page.locator('#main button').allInnerTexts()]).toEqual([path, []]);
    }
    for (const path of ['/v1/agents/my-agent/freeze', '/v1/agents/my-agent/unfreeze', '/v1/freeze', '/v1/sessions'])
      expect([path, await statusOf(auditor, 'POST', path, { reason: 'x' })]).toEqual([path, 403]);
  });

  it('on a phone the views are behind a button, which the keyboard opens and shuts', async () => {
    const auditor = await visitor('auditor', { width: 390 });
    const { page } = auditor;
    await auditor.open('/overview');
    const button = page.getByRole('button', { name: 'Views' });
    expect(await page.getByRole('link', { name: 'Sessions' }).count()).toBe(0);
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Sessions' }).focus();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('link', { name: 'Sessions' }).count()).toBe(0);
    expect(await button.and(page.locator(':focus')).count()).toBe(1);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    expect(await button.getAttribute('aria-expanded')).toBe('false');
  });
});

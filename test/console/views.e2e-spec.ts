// Every view of what agents do, spend and hold: full, empty, wide and narrow, light and dark.
import { type Browser } from 'playwright-core';
import { sharedWorld, type World } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';
import { type FullTenant, fullTenant } from './full-tenant.js';
import { looksGood, LOOKS } from './looks.js';

type Look = (typeof LOOKS)[number];

/** Each address, and what is there once all of it is read. */
const FULL: Record<string, [path: string, text: string]> = {
  agents: ['/agents', 'Frozen'],
  agent: ['/agents?agent=research-agent', 'All of it, in the audit log'],
  'agent-frozen': ['/agents?agent=billing-agent', 'Unfreeze'],
  sessions: ['/sessions', 'of $50.00'],
  flags: ['/flags', 'One action that cost much'],
  spend: ['/spend', 'Payments that are no call of a tool'],
  budgets: ['/budgets', 'All agents together'],
  secrets: ['/secrets', 'Can be restored until'],
  secret: ['/secrets?secret=stripe_api_key', 'Read the value'],
  keys: ['/keys', 'stand for files'],
  people: ['/people', 'Dana Scully'],
};
const EMPTY: Record<string, [path: string, text: string]> = {
  agents: ['/agents', 'No agent has acted yet.'],
  sessions: ['/sessions', 'No session is active.'],
  flags: ['/flags', 'No anomalies in 7 days.'],
  spend: ['/spend', 'No spend recorded.'],
  budgets: ['/budgets', 'No budget above sessions.'],
  secrets: ['/secrets', 'No secret is stored.'],
  keys: ['/keys?kind=connector', 'There is no connector key.'],
};

describe.runIf(canBrowse)('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let full: FullTenant;
  beforeAll(async () => {
    [world, browser] = await Promise.all([sharedWorld(), launch()]);
    full = await fullTenant(world);
  });
  afterAll(() => Promise.all([browser.close(), full.end()]));

  const signedIn = async (tenant: FullTenant['tenant'], by: Look): Promise<Visitor> => {
    const visitor = await Visitor.of(browser, tenant.url, by);
    await visitor.signIn(tenant, 'owner', `owner-${by.width}-${by.colorScheme}@example.com`);
    return visitor;
  };
  const walk = async (visitor: Visitor, views: typeof FULL, by: Look, kind: string): Promise<void> => {
    for (const [name, [path, text]] of Object.entries(views)) {
      await visitor.open(path);
      await visitor.page.locator('#main').getByText(text).first().waitFor();
      await visitor.page.getByText('Loading…').first().waitFor({ state: 'detached' });
      await looksGood(visitor, `${name}-${kind}`, by);
    }
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  };

  it.each(LOOKS)('at $width px, $colorScheme: with something of everything', async (by) => {
    const visitor = await signedIn(full.tenant, by);
    await walk(visitor, FULL, by, 'full');
  });

  it.each(LOOKS)('at $width px, $colorScheme: before anything has happened', async (by) => {
    const tenant = await world.newTenant();
    const visitor = await signedIn(tenant, by);
    await walk(visitor, EMPTY, by, 'empty');
  });

  it.each(LOOKS)('at $width px, $colorScheme: what opens before a view', async (by) => {
    const visitor = await signedIn(full.tenant, by);
    const { page } = visitor;
    const dialogs: [path: string, button: string | RegExp, title: string][] = [
      ['/agents?agent=research-agent', 'Freeze…', 'Freeze research-agent'],
      ['/sessions', /^Revoke a session of/, 'Revoke the session'],
      ['/budgets', 'Add a budget…', 'Add a budget'],
      ['/secrets', 'Add a secret…', 'Add a secret'],
      ['/keys', 'Make a key…', 'Make a key'],
      ['/people', 'Invite…', 'Invite somebody'],
    ];
    for (const [path, name, title] of dialogs) {
      await visitor.open(path);
      const button = page.getByRole('button', { name });
      await button.first().click();
      await page.getByRole('dialog', { name: title }).waitFor();
      await looksGood(visitor, `dialog${path.replace(/\W+/g, '-')}`, by);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect([title, await button.and(page.locator(':focus')).count()]).toEqual([title, 1]);
    }
    if (by.width < 600) {
      await page.getByRole('button', { name: 'Views' }).click();
      await page.getByRole('link', { name: 'Budgets' }).waitFor();
      await looksGood(visitor, 'views', by);
    }
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  });
});

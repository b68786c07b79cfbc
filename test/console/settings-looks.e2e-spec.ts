// Views in which something is set up, in each of their states: as everybody can read them, and with what somebody hostile wrote.
import { type Browser } from 'playwright-core';
import { type Client, Scenario, sharedWorld, startFakeUpstream } from '@haldir/test-support';
import { canBrowse, launch, Visitor } from './browser.js';
import { LOOKS, looksGood, PAYLOADS } from './looks.js';

interface View {
  name: string;
  path: string;
  /** What is there once it is read. */
  full: string;
  /** What an empty one says; none where there always is something. */
  empty?: string;
  /** What it asks first. */
  asks: string;
}

const VIEWS: View[] = [
  {
    ...{ name: 'upstreams', path: '/upstreams', asks: '**/v1/proxy/upstreams?*' },
    ...{ full: 'Answers', empty: 'No tool server is behind Haldir yet.' },
  },
  {
    ...{ name: 'tools', path: '/tools', asks: '**/v1/proxy/tools?*' },
    ...{ full: 'hostile.pay', empty: 'There are no tools yet.' },
  },
  {
    ...{ name: 'policies', path: '/policies', asks: '**/v1/proxy/policies?*' },
    ...{ full: 'Have calls wait for a human', empty: 'There are no policies yet.' },
  },
  {
    ...{ name: 'webhooks', path: '/webhooks', asks: '**/v1/webhooks?*' },
    ...{ full: 'Works', empty: 'Nobody is told of anything yet.' },
  },
  {
    ...{ name: 'deliveries', path: '/deliveries', asks: '**/v1/webhooks/deliveries?*' },
    ...{ full: 'Nothing was sent yet.', empty: 'Nothing was sent yet.' },
  },
  { name: 'integrity', path: '/integrity', asks: '**/v1/audit/tree-head', full: 'Verifier key' },
  { name: 'system', path: '/system', asks: '**/v1/status', full: 'This Haldir is ready.' },
];

describe.runIf(canBrowse)('in Chromium', () => {
  let browser: Browser;
  let scenario: Scenario;
  let tenant: Client;
  let bare: Client;
  let webhookId: unknown;
  beforeAll(async () => {
    browser = await launch();
    const world = await sharedWorld();
    [scenario, bare] = [await Scenario.begin(world), await world.newTenant()];
    ({ tenant } = scenario);
    const text = PAYLOADS.join(' ');
    const hostile = scenario.keep(await startFakeUpstream());
    const inputSchema = { type: 'object', properties: { [text]: { type: 'string', description: text } } };
    const pay = { name: 'pay', description: text, inputSchema, annotations: { title: text, [text]: text } };
    hostile.tools = [
      ...[pay, { ...pay, name: 'changes' }, { ...pay, name: 'hides', description: 'hidden \u200b\u202e' }],
      ...[{ ...pay, name: 'long'.repeat(30), description: 'word '.repeat(300) }],
    ];
    expect(await scenario.register('hostile', hostile.url, { tools_max_age: 0 })).toMatchObject({ status: 201 });
    hostile.tools = hostile.tools.map((tool) =>
      tool.name === 'changes' ? { ...tool, description: `Now: ${text}`, annotations: { destructiveHint: true } } : tool,
    );
    await tenant.post('/v1/proxy/upstreams/hostile/refresh');
    await tenant.put('/v1/proxy/upstreams/hostile/tools/pay/price', { price_usd: 2.5 });
    const gone = scenario.keep(await startFakeUpstream('x'));
    await scenario.register('gone', gone.url);
    await gone.stop();
    await tenant.post('/v1/proxy/upstreams/gone/refresh');
    for (const each of PAYLOADS) {
      await tenant.post('/v1/proxy/policies', { type: 'block_tool', tool: each });
      await tenant.post('/v1/webhooks', { url: `https://127.0.0.1/${encodeURIComponent(each)}`, name: each });
    }
    await scenario.policy('require_approval', { scope: { tools: PAYLOADS, agents: ['long'.repeat(30)] }, priority: 9 });
    const { webhooks } = (await tenant.get<{ webhooks: { webhook_id: number }[] }>('/v1/webhooks')).body;
    webhookId = webhooks[0]?.webhook_id;
    await scenario.call('hostile.pay', { to: text });
  });
  afterAll(() => Promise.all([browser.close(), scenario.end()]));

  it.each(LOOKS)('every view is read by everybody at $width px, $colorScheme', async (look) => {
    const visitor = await Visitor.of(browser, tenant.url, look);
    const { page } = visitor;
    const seen = async (name: string, path: string, text: string): Promise<void> => {
      await visitor.open(path);
      await page.getByText(text).first().waitFor();
      await looksGood(visitor, name, look);
    };
    await visitor.signIn(tenant, 'owner', `owner-${look.width}-${look.colorScheme}@example.com`);
    for (const { name, path, full } of VIEWS) await seen(name, path, full);
    await seen('upstreams-add', '/upstreams?add=true', 'Headers that are sent to it');
    await page.getByRole('button', { name: 'Add a header' }).click();
    await looksGood(visitor, 'upstreams-add-header', look);
    await seen('upstream', '/upstreams?upstream=hostile', 'hostile.changes');
    await page.getByRole('button', { name: 'Delete' }).click();
    await looksGood(visitor, 'upstream-delete', look);
    await seen('upstream-gone', '/upstreams?upstream=gone', 'Does not answer');
    await seen('tool', '/tools?tool=hostile.pay', 'Each call costs $2.50');
    await seen('tool-changed', '/tools?tool=hostile.changes', 'It is held back');
    await seen('tools-none', '/tools?name_contains=nothing', 'No tool matches.');
    await seen('policies-propose', '/policies?propose=true&template=destructive', 'See what last week');
    await page.getByRole('button', { name: 'See what last week would have become' }).click();
    await page.getByText('The last seven days, decided again').waitFor();
    await looksGood(visitor, 'policies-simulated', look);
    await visitor.open('/policies');
    await page.getByRole('button', { name: 'Change' }).first().click();
    await looksGood(visitor, 'policy-change', look);
    await seen('webhook', `/webhooks?webhook=${String(webhookId)}`, 'It was not sent anything yet.');
    await seen('webhooks-add', '/webhooks?add=true', 'What it hears of');
    await seen('integrity-before', '/integrity', 'Verifier key');
    await page.getByRole('button', { name: 'Check the whole log' }).click();
    await page.getByText('Intact:').waitFor();
    await looksGood(visitor, 'integrity-intact', look);
    await visitor.open('/system');
    await page.getByRole('button', { name: 'Freeze every agent' }).click();
    await looksGood(visitor, 'system-freeze', look);
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  });

  it.each(LOOKS)('every view that is empty says what is next at $width px, $colorScheme', async (look) => {
    const visitor = await Visitor.of(browser, bare.url, look);
    await visitor.signIn(bare, 'owner', `owner-${look.width}-${look.colorScheme}@example.com`);
    for (const { name, path, empty } of VIEWS) {
      if (empty === undefined) continue;
      await visitor.open(path);
      await visitor.page.getByText(empty).waitFor();
      await looksGood(visitor, `${name}-empty`, look);
    }
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  });

  it('a view that cannot be read says so and tries again, and one that may not be read says what is missing', async () => {
    const visitor = await Visitor.of(browser, tenant.url);
    const { page } = visitor;
    await visitor.signIn(tenant, 'auditor', 'states@example.com');
    for (const { path, asks, full } of VIEWS) {
      await page.route(asks, (route) =>
        route.fulfill({ status: 403, json: { error: 'Forbidden', code: 'forbidden', required: 'some:read' } }),
      );
      await visitor.open(path);
      await page.getByText('It lacks the scope some:read.').first().waitFor();
      await page.unroute(asks);
      await page.route(asks, (route) =>
        route.fulfill({ status: 400, json: { error: 'It broke', code: 'broken', request_id: 'req_seen' } }),
      );
      await visitor.open(path);
      await page.getByText('The log has it as req_seen.').first().waitFor();
      await page.unroute(asks);
      await page.getByRole('button', { name: 'Try again' }).first().click();
      await page.getByText(full).first().waitFor();
    }
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  });
});

import {
  type Client,
  type EverythingServer,
  type FakeUpstream,
  startEverything,
  startFakeUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';
import { type Json } from './api-document.js';
import { ContractClient } from './contract-client.js';

const long = (length: number): string => 'x'.repeat(length);
let world: World;
let everything: EverythingServer;
let fake: FakeUpstream;
let tenant: Client;
let api: ContractClient;
beforeAll(async () => {
  [world, everything, fake] = await Promise.all([
    startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } }),
    startEverything(),
    startFakeUpstream('echo', 'mail.send'),
  ]);
  tenant = await world.newTenant();
  api = new ContractClient(tenant);
});
afterAll(async () => {
  await Promise.all([world.stop(), everything.kill(), fake.stop()]);
});

describe('webhooks', () => {
  it.each([
    [{}, ['all'], ''],
    [{ events: null }, ['all'], ''],
    [{ events: ['all'] }, ['all'], ''],
    [{ events: ['anomaly', 'budget_exhausted'], name: 'on-call ✓' }, ['anomaly', 'budget_exhausted'], 'on-call ✓'],
  ])('with %j are registered and listed, without their secret', async (asked, events, name) => {
    const own = api.as(await world.newTenant());
    const url = new URL('/hook?for=haldir', fake.url).href;
    const { status, body } = await own.call('registerWebhook', { body: { url, ...asked } });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      registered: true,
      url,
      events,
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/=]{32,88}$/),
    });
    expect(Number.isInteger(body['webhook_id']) && Number(body['webhook_id']) > 0).toBe(true);
    const listed = await own.call<{ webhooks: Json[] }>('listWebhooks');
    expect(listed.body.webhooks).toHaveLength(1);
    expect(listed.body.webhooks[0]).toMatchObject({ webhook_id: body['webhook_id'], url, events, name });
    expect(JSON.stringify(listed.body)).not.toContain('whsec_');
    expect(JSON.stringify(listed.body)).not.toContain(String(body['secret']).slice('whsec_'.length));
  });

  it('name what is wrong', async () => {
    await api.refuses(
      'registerWebhook',
      { body: { url: fake.url } },
      {
        url: [
          undefined,
          '',
          'example.com',
          '/hook',
          'ftp://example.com/',
          'javascript:alert(1)',
          'http://',
          1,
          null,
          ['http://a.example/'],
          long(100_000),
        ],
        events: [['everything'], ['anomaly', 'x'], 'all', [1], {}, [null]],
        name: [1, null, {}],
      },
    );
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://[fd00::1]/',
    'http://0.0.0.0/',
    'http://[::ffff:10.0.0.1]/',
    'http://0x0a000001/',
    'http://224.0.0.1/',
  ])('go to no address inside: %s', async (url) => {
    const webhook = await api.call('registerWebhook', { body: { url } });
    expect([webhook.status, webhook.body['error']]).toEqual([400, expect.stringMatching(/^url/)]);
    const upstream = await api.call('registerUpstream', { body: { name: 'inside', url } });
    expect([upstream.status, upstream.body['error']]).toEqual([400, expect.stringMatching(/^url/)]);
  });
});

describe('upstreams', () => {
  it('are discovered, counted and listed with their tools', async () => {
    const own = api.as(await world.newTenant());
    const { status, body } = await own.call<{ tool_names: string[]; tools_discovered: number }>('registerUpstream', {
      body: { name: 'every_thing-1', url: everything.url },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ registered: true, name: 'every_thing-1', url: everything.url, healthy: true });
    expect(body.tools_discovered).toBe(body.tool_names.length);
    expect(body.tool_names.some((name) => /(^|\.)echo$/.test(name))).toBe(true);
    expect(body).not.toHaveProperty('error');

    const tools = await own.call<{ count: number; tools: Json[] }>('listProxyTools');
    expect(tools.body.count).toBe(body.tools_discovered);
    expect(new Set(tools.body.tools.map(({ upstream }) => upstream))).toEqual(new Set(['every_thing-1']));

    const stats = await own.call<{ upstreams: Record<string, Json> }>('listUpstreams');
    expect(Object.keys(stats.body.upstreams)).toEqual(['every_thing-1']);
    expect(stats.body).toMatchObject({ total_tools: body.tools_discovered, policies: expect.anything() });
    expect(stats.body.upstreams['every_thing-1']).toMatchObject({
      url: everything.url,
      healthy: true,
      total_calls: 0,
      total_errors: 0,
    });
  });

  it('that are dead are registered all the same', async () => {
    const own = api.as(await world.newTenant());
    const dead = await startFakeUpstream();
    await dead.stop();
    const { status, body } = await own.call('registerUpstream', { body: { name: 'dead', url: dead.url } });
    expect(status).toBe(201);
    expect(body).toMatchObject({ healthy: false, tools_discovered: 0, tool_names: [], error: expect.any(String) });
    const stats = await own.call<{ upstreams: Record<string, Json> }>('listUpstreams');
    expect(stats.body.upstreams['dead']).toMatchObject({ healthy: false, error: expect.any(String) });
    expect((await own.call('listProxyTools')).body).toMatchObject({ count: 0, tools: [] });
  });

  it('are replaced under the same name', async () => {
    const own = api.as(await world.newTenant());
    await own.call('registerUpstream', { body: { name: 'up', url: everything.url } });
    await own.call('registerUpstream', { body: { name: 'up', url: fake.url } });
    const { tools } = (await own.call<{ tools: { name: string }[] }>('listProxyTools')).body;
    expect(tools.map(({ name }) => name.replace(/^up\./, '')).sort()).toEqual(['echo', 'mail.send']);
  });

  it('name what is wrong', async () => {
    await api.refuses(
      'registerUpstream',
      { body: { name: 'wrong', url: fake.url } },
      {
        name: [undefined, '', long(65), 'a.b', 'a b', 'ü', 'a/b', '../a', 1, null],
        url: [undefined, '', 'example.com', 'ftp://example.com/', 'http://', 1, null, {}],
      },
    );
  });
});

describe('proxyCall', () => {
  let session_id: string;
  beforeAll(async () => {
    session_id = await tenant.session({ agent_id: 'caller', scopes: ['execute'] });
    await api.call('registerUpstream', { body: { name: 'all', url: everything.url } });
    await api.call('registerUpstream', { body: { name: 'up', url: fake.url } });
  });

  it('answers what the tool answers, by its name and by that of its upstream', async () => {
    const called = await api.call('proxyCall', {
      body: { tool: 'all.echo', arguments: { message: 'hi ü' }, session_id },
    });
    expect(called.status).toBe(200);
    expect(called.body['content']).toEqual([{ type: 'text', text: expect.stringContaining('hi ü') }]);
    const bare = await api.call('proxyCall', { body: { tool: 'mail.send', session_id } });
    expect(bare.body['content']).toEqual([{ type: 'text', text: 'mail.send' }]);
    fake.answer = () => ({ isError: true, content: [{ type: 'text', text: 'no paper' }] });
    const failed = await api.call('proxyCall', { body: { tool: 'up.mail.send', arguments: {}, session_id } });
    expect([failed.status, failed.body]).toMatchObject([200, { isError: true, content: [{ text: 'no paper' }] }]);
  });

  it('asks for a live session, then for its scope', async () => {
    const revoked = await tenant.session({ scopes: ['execute'] });
    await api.call('revokeSession', { path: { session_id: revoked } });
    for (const dead of [revoked, 'ses_unknown', 'x']) {
      expect((await api.call('proxyCall', { body: { tool: 'all.echo', session_id: dead } })).status).toBe(401);
    }
    const browsing = await tenant.session({ scopes: ['browse'] });
    const refused = await api.call('proxyCall', { body: { tool: 'all.echo', session_id: browsing } });
    expect([refused.status, refused.body]).toMatchObject([403, { isError: true, content: [{ type: 'text' }] }]);
  });

  it('knows no tool that nobody offers, nor a bare name that two do', async () => {
    for (const tool of ['nothing', 'all.nothing', 'nobody.echo', 'echo', long(300), '']) {
      const { status, body } = await api.call('proxyCall', { body: { tool, session_id } });
      if (tool === '' && status === 400) continue;
      expect([tool, status, body]).toMatchObject([tool, 404, { isError: true, content: [{ type: 'text' }] }]);
    }
  });

  it('answers 502 where the upstream is gone', async () => {
    const gone = await startFakeUpstream('leave');
    await api.call('registerUpstream', { body: { name: 'gone', url: gone.url } });
    await gone.stop();
    const { status, body } = await api.call('proxyCall', { body: { tool: 'gone.leave', session_id } });
    expect([status, body['error']]).toEqual([502, expect.any(String)]);
  });

  it('is held back until a human approves', async () => {
    const own = await world.newTenant();
    const held = api.as(own);
    await held.call('registerUpstream', { body: { name: 'up', url: fake.url } });
    await held.call('addApprovalRule', { body: { type: 'tool_blocked', tools: ['echo'] } });
    const body = { tool: 'up.echo', session_id: await own.session({ scopes: ['execute'] }) };
    const before = fake.calls.length;
    const { status, body: answer } = await held.call<{ content: { text: string }[] }>('proxyCall', { body });
    const said = JSON.parse(answer.content[0]?.text ?? '') as Json;
    expect([status, answer.content.length, fake.calls.length]).toEqual([200, 1, before]);
    expect(said).toMatchObject({
      status: 'approval_required',
      reason: expect.any(String),
      message: expect.any(String),
    });
    const path = { request_id: String(said['request_id']) };
    expect((await held.call('checkApproval', { path })).body).toMatchObject({ ...path, status: 'pending' });
  });

  it('names what is wrong', async () => {
    await api.refuses(
      'proxyCall',
      { body: { tool: 'all.echo', session_id } },
      {
        tool: [undefined, 1, null, []],
        session_id: [undefined, 1, null],
        arguments: ['hi', 1, [], true],
      },
    );
  });
});

describe('policies', () => {
  const policies: [string, Json][] = [
    ['block_tool', { tool: 'mail' }],
    ['allow_list', { tools: ['mail', 'up.mail'] }],
    ['deny_list', { tools: ['mail'] }],
    ['spend_limit', { max: 12.5 }],
    ['rate_limit', { max_per_minute: 5 }],
    ['time_window', { start_hour: 22, end_hour: 6 }],
  ];

  it.each(policies)('of type %s are added, and listed with their parameters', async (type, parameters) => {
    const own = api.as(await world.newTenant());
    const added = await own.call('addProxyPolicy', { body: { type, ...parameters } });
    expect([added.status, added.body]).toMatchObject([201, { added: true, type }]);
    const { body } = await own.call('listProxyPolicies');
    expect(body).toMatchObject({ count: 1, policies: [{ id: expect.any(String), type, ...parameters }] });
  });

  it('say in a refusal which of them it was', async () => {
    const own = await world.newTenant();
    const ruled = api.as(own);
    await ruled.call('registerUpstream', { body: { name: 'up', url: fake.url } });
    await ruled.call('addProxyPolicy', { body: { type: 'block_tool', tool: 'echo' } });
    const listed = await ruled.call<{ policies: { id: string }[] }>('listProxyPolicies');
    const body = { tool: 'up.echo', session_id: await own.session({ scopes: ['execute'] }) };
    const { status, body: blocked } = await ruled.call<{ content: { text: string }[] }>('proxyCall', { body });
    expect([status, blocked]).toMatchObject([403, { isError: true, content: [{ type: 'text' }] }]);
    const said = JSON.parse(blocked.content[0]?.text ?? '') as Json;
    expect(said).toMatchObject({
      blocked_by: 'haldir',
      policy_id: listed.body.policies[0]?.id,
      error: expect.any(String),
    });
    expect(said).toHaveProperty('policy');
  });

  it('name what is wrong', async () => {
    const wrong: [string, Json, Record<string, unknown[]>][] = [
      ['block_tool', { tool: 'a' }, { type: [undefined, 'no_fun', 1, null], tool: [undefined, 1, null, '', ['a']] }],
      ['allow_list', { tools: ['a'] }, { tools: [undefined, 'a', null, [1], {}] }],
      ['deny_list', { tools: ['a'] }, { tools: [undefined, 'a', null, [1], {}] }],
      ['spend_limit', { max: 1 }, { max: [undefined, '1', null, -1, 1e308] }],
      ['rate_limit', { max_per_minute: 1 }, { max_per_minute: [undefined, '1', null, -1, 1.5] }],
      [
        'time_window',
        { start_hour: 1, end_hour: 2 },
        { start_hour: [undefined, '1', -1, 25, 1.5], end_hour: [undefined, null, -1, 25] },
      ],
    ];
    for (const [type, parameters, mistakes] of wrong) {
      await api.refuses('addProxyPolicy', { body: { type, ...parameters } }, mistakes);
    }
  });
});

it('every documented answer of webhooks and proxy was seen, here or for every operation alike', () => {
  const unseen = api.unseen('webhooks', 'proxy').filter((answer) => !/ (401|429)$/.test(answer));
  expect(unseen).toEqual([]);
});

import {
  type Balancer,
  BareMcp,
  connectMcp,
  eventually,
  type FakeUpstream,
  type McpRevision,
  type Reply,
  RpcFailure,
  saidBy,
  Scenario,
  startBalancer,
  startFakeUpstream,
  startHungUpstream,
  startWorld,
  text,
  type World,
} from '@haldir/test-support';
import { type Client as McpClient } from '@modelcontextprotocol/client';

let world: World;
let balancer: Balancer;
let scenario: Scenario<FakeUpstream>;
const REVISIONS: McpRevision[] = ['stateless', 'handshake'];
const OWN_AGENT_TOOLS = [
  'checkPermission',
  'getSecret',
  'authorizePayment',
  'logAction',
  'requestApproval',
  'checkApproval',
];

beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { UPSTREAM_TIMEOUT_SECONDS: '4' } });
  balancer = await startBalancer(world.apis);
});
beforeEach(async () => {
  scenario = await Scenario.of(world, ['echo', 'read_file', 'delete_file'], { balancer });
});
afterEach(() => scenario.up.stop());
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});

describe.each(REVISIONS)('to a client of the %s revisions', (revision) => {
  it('a policy hides what it blocks by name, and refuses it with its reason', async () => {
    await scenario.policy('block_tool', { tool: 'echo' });
    await scenario.policy('deny_list', { tools: ['up.delete_file'] });
    const agent = scenario.agent(revision);
    expect((await scenario.toolNames(agent)).filter((name) => name.startsWith('up__'))).toEqual(['up__read_file']);
    for (const name of ['up.echo', 'echo', 'up.delete_file']) {
      const reply = await agent.call(name);
      expect([name, reply.status, reply.message?.result?.isError]).toEqual([name, 200, true]);
      expect(saidBy(reply)).toMatchObject({ blocked_by: 'haldir', policy_id: expect.stringMatching(/^pol_/) });
    }
    expect(scenario.up.calls).toEqual([]);

    await scenario.policy('allow_list', { tools: ['up.delete_file'] });
    expect((await scenario.toolNames(agent)).filter((name) => name.startsWith('up__'))).toEqual([]);
  });

  it('a policy hides nothing outside its scope, or in log_only mode', async () => {
    await scenario.policy('block_tool', { tool: 'echo', mode: 'log_only' });
    await scenario.policy('block_tool', { tool: 'read_file', scope: { agents: ['somebody*'] } });
    await scenario.policy('allow_list', { tools: [], scope: { agents: ['a*t'], tools: ['up.delete_*'] } });
    const names = await scenario.toolNames(scenario.agent(revision));
    expect(names.filter((name) => name.startsWith('up__'))).toEqual(['up__echo', 'up__read_file']);
  });

  it('says the same of a call as REST does, and writes the same in the log', async () => {
    await scenario.policy('spend_limit', { max: 10 });
    const agent = scenario.agent(revision);
    await agent.call('up.echo', { amount: 10 });
    const refused = await agent.call('up.echo', { amount: 11 });
    await scenario.tenant.post('/v1/proxy/call', {
      tool: 'up.echo',
      arguments: { amount: 10 },
      session_id: scenario.session,
    });
    const rest = await scenario.tenant.post<{ content: object }>('/v1/proxy/call', {
      ...{ tool: 'up.echo', arguments: { amount: 11 }, session_id: scenario.session },
    });
    expect(refused.message?.result?.content).toEqual(rest.body.content);
    const entries = (await scenario.callEntries()).map(
      ({ session_id, tool, action, details: { latency_ms: _, decided_at: at, ...facts } }) => ({
        decided: typeof at,
        ...{ session_id, tool, action, facts },
      }),
    );
    expect(entries).toHaveLength(4);
    expect(entries.slice(0, 2)).toEqual(entries.slice(2));
    expect(entries[0]).toMatchObject({ session_id: scenario.session, tool: 'up.echo', action: 'tool_call' });
  });

  it('a call that needs approval names the request to poll, and goes through once when it is approved', async () => {
    await scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.echo'] });
    const agent = scenario.agent(revision);
    const held = await agent.call('up.echo', { n: 1 });
    expect(held.message?.result?.isError).toBe(true);
    const said = saidBy(held);
    expect(said).toMatchObject({ status: 'approval_required', message: expect.stringContaining('checkApproval') });
    const poll = async (): Promise<unknown> =>
      saidBy(await agent.call('checkApproval', { request_id: said['request_id'] }))['status'];
    expect(await poll()).toBe('pending');
    expect(saidBy(await agent.call('up.echo', { n: 1 }))['request_id']).toBe(said['request_id']);

    await scenario.tenant.post(`/v1/approvals/${String(said['request_id'])}/approve`);
    expect(await poll()).toBe('approved');
    expect(saidBy(await agent.call('up.echo', { n: 2 }))['request_id']).not.toBe(said['request_id']);
    const racing = await Promise.all(Array.from({ length: 20 }, () => agent.call('up.echo', { n: 1 })));
    expect(racing.filter(({ message }) => message?.result?.isError !== true)).toHaveLength(1);
    expect(scenario.up.calls).toEqual([{ tool: 'echo', arguments: { n: 1 } }]);
  });
});

describe('a client that can ask its human', () => {
  /** @param answer what the human does when asked, how often before */
  const connect = async (
    answer: (message: string, asked: number) => Promise<'accept' | 'decline'>,
  ): Promise<McpClient> => {
    let asked = 0;
    const party = { url: balancer.url, key: scenario.tenant.key ?? '', session: scenario.session };
    return connectMcp(party, 'stateless', {
      capabilities: { elicitation: {} },
      prepare: (client) =>
        client.setRequestHandler('elicitation/create', async ({ params }) => {
          const action = await answer(params.message, asked++);
          return action === 'accept' ? { action, content: {} } : { action };
        }),
    });
  };
  const approve = (message: string): Promise<Reply> =>
    scenario.tenant.post(`/v1/approvals/${/apr_[a-z0-9]+/.exec(message)?.[0] ?? ''}/approve`);

  beforeEach(() => scenario.tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.echo'] }));

  it('is asked until the call is approved, and then makes it by itself, once', async () => {
    const client = await connect(async (message, asked) => {
      // Going on decides nothing.
      if (asked === 1) await approve(message);
      return 'accept';
    });
    const result = await client.callTool({ name: 'up.echo', arguments: { n: 1 } });
    expect(result.content).toEqual([{ type: 'text', text: 'echo' }]);
    expect(scenario.up.calls).toEqual([{ tool: 'echo', arguments: { n: 1 } }]);
    expect((await scenario.callEntries()).map(({ action }) => action)).toEqual([
      ...['tool_call_held', 'tool_call_held', 'tool_call'],
    ]);
    await client.close();
  });

  it('is told how to poll when its human does not go on', async () => {
    const client = await connect(async () => 'decline');
    const result = await client.callTool({ name: 'up.echo', arguments: { n: 1 } });
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result.content)).toContain('checkApproval');
    expect(scenario.up.calls).toEqual([]);
    await client.close();
  });
});

it('lets no more calls through in a minute than a policy allows, over REST and MCP and every process together', async () => {
  await scenario.policy('rate_limit', { max_per_minute: 7 });
  const overMcp = Array.from({ length: 10 }, (_, i) => scenario.agent(REVISIONS[i % 2]).call('up.echo', { i }));
  const overRest = world.apis.map((api) =>
    scenario.tenant.at(api).post('/v1/proxy/call', { tool: 'up.echo', session_id: scenario.session }),
  );
  const results = [
    ...(await Promise.all(overMcp)).map(({ message }) => message?.result?.isError !== true),
    ...(await Promise.all(overRest)).map(({ status }) => status === 200),
  ];
  expect(results.filter(Boolean)).toHaveLength(7);
  expect(scenario.up.calls).toHaveLength(7);
});

it('lists and calls nothing of upstreams without the scopes of session and key', async () => {
  const browsing = await scenario.tenant.session({ scopes: ['browse'] });
  const agent = scenario.agent('stateless', browsing);
  expect((await scenario.toolNames(agent)).some((name) => name.includes('__'))).toBe(false);
  expect(saidBy(await agent.call('up.echo'))).toMatchObject({ blocked_by: 'haldir', required: ['execute', 'read'] });

  const { body } = await scenario.tenant.post<{ key: string }>('/v1/keys', { scopes: ['audit:write'] });
  const logger = new BareMcp({ url: balancer.url, key: body.key, session: scenario.session });
  expect(await scenario.toolNames(logger)).toEqual(['logAction']);
  expect(saidBy(await logger.call('up.echo'))).toMatchObject({ code: 'insufficient_scope', required: 'proxy:call' });
  expect(scenario.up.calls).toEqual([]);
});

it('answers what a tool, its upstream and its absence say, each in its own way', async () => {
  const agent = scenario.agent();
  scenario.up.answer = () => ({ content: [{ type: 'text', text: 'no' }], isError: true, extra: { kept: 1 } });
  expect((await agent.call('up.echo')).message?.result).toMatchObject({ isError: true, extra: { kept: 1 } });
  scenario.up.answer = () => {
    throw new RpcFailure(-32602, 'n: expected a number');
  };
  expect((await agent.call('up.echo')).message?.error).toMatchObject({ code: -32602, message: 'n: expected a number' });
  expect((await agent.call('up.nothing')).message?.error).toMatchObject({ code: -32602, message: 'Unknown tool' });
  await scenario.up.stop();
  expect(saidBy(await agent.call('up.echo'))).toMatchObject({
    code: 'upstream_unreachable',
    error: expect.stringContaining('The tool did not run'),
  });
  await scenario.up.start();
  expect((await scenario.callEntries()).map(({ details }) => details['result'] ?? details['decision'])).toEqual([
    ...['tool_error', 'refused', 'blocked', 'unreachable'],
  ]);
  // The statistics of one process are the others' within a second.
  await eventually(async () =>
    expect((await scenario.tenant.get('/v1/proxy/upstreams')).body).toMatchObject({
      upstreams: { up: { total_calls: 3, total_errors: 2, tool_errors: 1 } },
    }),
  );
});

it('goes on without an upstream that hangs, and says which one is missing and why', async () => {
  const hung = await startHungUpstream();
  await scenario.tenant.post('/v1/proxy/upstreams', { name: 'hung', url: hung.url });
  // Whoever asks the upstream itself waits until it is given up, after four seconds.
  let isGivenUp = false;
  const asked = scenario.tenant.post('/v1/proxy/upstreams/hung/refresh').finally(() => (isGivenUp = true));
  const { message } = await scenario.agent().ask('tools/list');
  expect(isGivenUp).toBe(false);
  await asked;
  expect((message?.result?.['tools'] as unknown[]).length).toBe(3 + 6);
  expect(message?.result?.['_meta']).toMatchObject({
    'haldir/missing-upstreams': [{ name: 'hung', error: expect.stringContaining('in time') }],
  });
  await hung.stop();
});

it('sees tools that come and go at once, on every process', async () => {
  const names = (): Promise<string[]> => scenario.toolNames(scenario.agent());
  expect(await names()).toContain('up__echo');
  scenario.up.tools = [{ name: 'other', inputSchema: { type: 'object' } }];
  await scenario.tenant.post('/v1/proxy/upstreams/up/refresh');
  for (const _ of world.apis) expect((await names()).filter((name) => name.includes('__'))).toEqual(['up__other']);
  await scenario.tenant.delete('/v1/proxy/upstreams/up');
  for (const _ of world.apis) expect((await names()).filter((name) => name.includes('__'))).toEqual([]);
});

it('gives a long list in pages, each tool once', async () => {
  const names = Array.from({ length: 1_200 }, (_, i) => `tool_${String(i).padStart(4, '0')}`);
  const big = await startFakeUpstream(...names);
  await scenario.tenant.post('/v1/proxy/upstreams', { name: 'big', url: big.url });
  const agent = scenario.agent();
  const found: string[] = [];
  let cursor: unknown;
  let pages = 0;
  do {
    const { message } = await agent.ask('tools/list', cursor === undefined ? {} : { cursor });
    found.push(...(message?.result?.['tools'] as { name: string }[]).map(({ name }) => name));
    cursor = message?.result?.['nextCursor'];
    pages++;
  } while (cursor !== undefined);
  expect(pages).toBe(2);
  expect(found.slice(0, OWN_AGENT_TOOLS.length)).toEqual(OWN_AGENT_TOOLS);
  expect(found.slice(OWN_AGENT_TOOLS.length)).toEqual([
    ...names.map((name) => `big__${name}`),
    ...['up__delete_file', 'up__echo', 'up__read_file'],
  ]);
  const { status, message } = await agent.ask('tools/list', { cursor: 'AAAA' });
  expect([status, message?.error?.code]).toEqual([200, -32602]);
  await big.stop();
});

it('shows the tools of an upstream without prefix by their own names, where those mean nothing else', async () => {
  const other = await startFakeUpstream('echo', 'getSecret', 'unique');
  const third = await startFakeUpstream('unique', 'GetSecret', 'up.echo', 'UP.Echo_2');
  const register = (name: string, url: string, prefix: unknown): Promise<Reply> =>
    scenario.tenant.post('/v1/proxy/upstreams', { name, url, prefix });
  const names = async (): Promise<string[]> =>
    (await scenario.toolNames(scenario.agent())).filter(
      (name) => !OWN_AGENT_TOOLS.includes(name) || name.includes('__'),
    );

  expect((await register('plain', other.url, 'no')).status).toBe(400);
  await register('plain', other.url, false);
  expect((await scenario.tenant.get('/v1/proxy/upstreams')).body).toMatchObject({
    upstreams: { plain: { prefix: false }, up: { prefix: true } },
  });
  expect(await names()).toEqual([
    ...['echo', 'plain__getSecret', 'unique', 'up__delete_file', 'up__echo', 'up__read_file'],
  ]);
  // The bare name means the upstream that goes without prefix, over REST too.
  await scenario.agent().call('echo', { n: 1 });
  await scenario.tenant.post('/v1/proxy/call', { tool: 'echo', arguments: { n: 2 }, session_id: scenario.session });
  expect(other.calls.map(({ arguments: { n } }) => n)).toEqual([1, 2]);
  expect((await scenario.callEntries()).map(({ tool }) => tool)).toEqual(['plain.echo', 'plain.echo']);

  await register('third', third.url, false);
  expect((await names()).filter((name) => name.includes('unique'))).toEqual(['plain__unique', 'third__unique']);
  // Nor what only looks like a tool of Haldir's own, or of another upstream.
  expect((await names()).filter((name) => /secret|echo/i.test(name))).toEqual([
    ...['echo', 'plain__getSecret', 'third__GetSecret', 'third__UP_Echo_2', 'third__up_echo', 'up__echo'],
  ]);
  expect((await scenario.agent().call('unique')).message?.error?.data).toEqual({ upstreams: ['plain', 'third'] });
  await register('third', third.url, true);
  expect((await names()).filter((name) => name.includes('unique'))).toEqual(['unique', 'third__unique']);
  await Promise.all([other.stop(), third.stop()]);
});

it('shows a tenant nothing of another', async () => {
  const stranger = await Scenario.of(world, ['secret_tool'], { balancer });
  expect(await scenario.toolNames(scenario.agent())).not.toContain('up__secret_tool');
  expect((await scenario.agent().call('up.secret_tool')).message?.error?.message).toBe('Unknown tool');
  const { status, message } = await new BareMcp({
    ...{ url: balancer.url, key: scenario.tenant.key ?? '', session: stranger.session },
  }).ask('tools/list');
  expect([status, message?.error?.data?.['code']]).toEqual([403, 'invalid_session']);
  expect(stranger.up.calls).toEqual([]);
  await stranger.up.stop();
});

it('answers a call once per Idempotency-Key, and says the first answer again', async () => {
  const headers = { 'idempotency-key': 'key-1' };
  let count = 0;
  scenario.up.answer = () => text(`${++count}`);
  const agent = scenario.agent();
  const replies = await Promise.all(Array.from({ length: 5 }, () => agent.call('up.echo', { n: 1 }, headers)));
  expect(replies.map(({ message }) => message?.result?.content?.[0]?.text)).toEqual(Array(5).fill('1'));
  expect(replies.filter(({ headers: h }) => h.get('idempotent-replayed') === 'true')).toHaveLength(4);
  expect((await agent.call('up.echo', { n: 2 }, headers)).status).toBe(422);
  expect((await agent.call('up.echo', { n: 1 })).message?.result?.content?.[0]?.text).toBe('2');
});

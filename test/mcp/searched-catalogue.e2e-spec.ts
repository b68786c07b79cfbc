import {
  type Balancer,
  BareMcp,
  type Client,
  connectMcp,
  connectOldMcp,
  type FakeUpstream,
  type McpReply,
  type McpRevision,
  type McpUpstream,
  saidBy,
  Scenario,
  startBalancer,
  startConformanceUpstream,
  startFakeUpstream,
  startMcpUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

const REVISIONS: McpRevision[] = ['stateless', 'handshake'];
const SEARCH = ['searchTools', 'describeTool', 'callTool'];
const OWN = ['checkPermission', 'getSecret', 'authorizePayment', 'logAction', 'requestApproval', 'checkApproval'];
const tool = (name: string, description: string, ...parameters: string[]): FakeUpstream['tools'][number] => ({
  ...{ name, description },
  inputSchema: { type: 'object', properties: Object.fromEntries(parameters.map((each) => [each, { type: 'string' }])) },
});
const TOOLS = [
  tool('create_issue', 'Opens an issue in a repository.', 'repository', 'title'),
  tool('listPullRequests', 'All that wait to be merged', 'repository'),
  tool('send.mail', 'Writes to somebody', 'recipient', 'dueDate'),
  tool('who-am-i', ''),
  tool('wörter', 'Zählt Wörter'),
];

let world: World;
let balancer: Balancer;
let served: McpUpstream;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  balancer = await startBalancer(world.apis);
  served = await startMcpUpstream();
});
afterAll(async () => {
  await served.stop();
  await balancer.stop();
  await world.stop();
});

let tenant: Client;
let scenario: Scenario<FakeUpstream>;
beforeEach(async () => {
  tenant = await world.newTenant();
  const session = await tenant.session({ agent_id: 'agent', scopes: ['execute'], catalogue: 'search', spend_limit: 9 });
  scenario = await Scenario.of(world, [], { tenant, balancer, session });
  scenario.up.tools = [...TOOLS];
  await tenant.post('/v1/proxy/upstreams/up/refresh');
});
afterEach(() => scenario.end());

const named = (said: Record<string, unknown>): string[] =>
  (said['tools'] as { name: string }[]).map(({ name }) => name);
const search = async (query: string, agent = scenario.agent()): Promise<string[]> =>
  named(saidBy(await agent.call('searchTools', { query })));
const through = (
  name: string,
  args: Record<string, unknown> = {},
  headers = {},
  agent = scenario.agent(),
): Promise<McpReply> => agent.call('callTool', { name, arguments: args }, headers);

describe('a session that searches', () => {
  it.each(REVISIONS)('is listed three tools in place of its upstreams', async (revision) => {
    expect(await scenario.toolNames(scenario.agent(revision))).toEqual([...OWN, ...SEARCH]);
    const paged = await scenario.agent(revision).ask('tools/list', { cursor: 'next' });
    expect(paged.message?.error?.message).toContain('params.cursor');
  });

  it('finds, reads and calls a tool with both official clients', async () => {
    const party = { url: balancer.url, key: tenant.key ?? '', session: scenario.session };
    const clients = [await connectMcp(party), await connectMcp(party, 'handshake'), await connectOldMcp(party)];
    for (const client of clients) {
      expect(client.getInstructions()).toContain('searchTools');
      await client.listTools();
      const found = await client.callTool({ name: 'searchTools', arguments: { query: 'new issue', limit: 1 } });
      expect(found.structuredContent).toEqual({
        tools: [{ name: 'up__create_issue', upstream: 'up', description: 'Opens an issue in a repository.' }],
        next_cursor: null,
      });
      const read = await client.callTool({ name: 'describeTool', arguments: { name: 'up__create_issue' } });
      expect(read.structuredContent).toMatchObject({ ...TOOLS[0], name: 'up__create_issue' });
      const wanted = { name: 'up__create_issue', arguments: { title: 't' } };
      const called = await client.callTool({ name: 'callTool', arguments: wanted });
      expect(called.content).toEqual([{ type: 'text', text: 'create_issue' }]);
    }
    expect(scenario.up.calls).toEqual(clients.map(() => ({ tool: 'create_issue', arguments: { title: 't' } })));
    await Promise.all(clients.map((client) => client.close()));
  });

  it('is found nothing beyond what its list would have', async () => {
    const all = (): Promise<string[]> => search('issue pull requests mail who words');
    const [issue, pulls, mail] = ['up__create_issue', 'up__listPullRequests', 'up__send_mail'];
    expect(new Set(await all())).toEqual(new Set([issue, pulls, mail]));
    await scenario.policy('block_tool', { tool: 'up.create_issue' });
    expect(new Set(await all())).toEqual(new Set([pulls, mail]));
    scenario.up.tools = TOOLS.map((each) => (each.name === 'send.mail' ? { ...each, description: 'Mails all' } : each));
    await tenant.post('/v1/proxy/upstreams/up/refresh');
    expect(await all()).toEqual([pulls]);
    const away = await startFakeUpstream('away');
    await away.stop();
    expect((await scenario.register('away', away.url)).body).toMatchObject({ healthy: false });
    const left = { held_back: ['up.send.mail'], missing_upstreams: [{ name: 'away', error: expect.any(String) }] };
    for (const query of ['pull', 'mail'])
      expect(saidBy(await scenario.agent().call('searchTools', { query }))).toMatchObject(left);
    await scenario.policy('allow_list', { tools: ['up.who-am-i'] });
    expect(await all()).toEqual([]);
    expect(await search('who am i')).toEqual(['up__who-am-i']);
    expect(saidBy(await scenario.agent().call('describeTool', { name: pulls }))).toMatchObject({ code: 'not_found' });

    const stranger = await world.newTenant();
    const theirs = await stranger.session({ scopes: ['execute'], catalogue: 'search' });
    const foreign = new BareMcp({ url: balancer.url, key: stranger.key ?? '', session: theirs });
    expect(await search('who am i', foreign)).toEqual([]);
    const scopeless = await tenant.session({ scopes: ['browse'], catalogue: 'search' });
    expect(await search('who am i', scenario.agent('stateless', scopeless))).toEqual([]);
  });

  it.each(REVISIONS)('is told what the list has of a tool (%s)', async (revision) => {
    await scenario.register('mcp', served.url);
    const session = await tenant.session({ scopes: ['execute'] });
    const { message } = await scenario.agent(revision, session).ask('tools/list');
    const listed = (message?.result?.['tools'] as { name: string }[]).filter(({ name }) => name.includes('__'));
    expect(listed.length).toBe(TOOLS.length + 4);
    for (const each of listed)
      expect(saidBy(await scenario.agent(revision).call('describeTool', { name: each.name }))).toEqual(each);
  });

  it('reads a tool by each name that a call takes, and hears of all that one may mean', async () => {
    const read = async (name: string): Promise<Record<string, unknown>> =>
      saidBy(await scenario.agent().call('describeTool', { name }));
    const { hashed_name: hashed } = (
      await world.sql<{ hashed_name: string }>(
        `SELECT hashed_name FROM proxy_tool JOIN session USING (tenant_id) WHERE id = $1 AND name = 'create_issue'`,
        [scenario.session],
      )
    )[0] ?? { hashed_name: '' };
    for (const name of ['up__create_issue', 'up.create_issue', hashed, 'create_issue']) {
      expect([name, await read(name)]).toMatchObject([
        name,
        { name: 'up__create_issue', inputSchema: TOOLS[0]?.inputSchema },
      ]);
      expect((await through(name)).message?.result).toMatchObject({ content: [{ text: 'create_issue' }] });
    }
    await scenario.upstream('other', 'create_issue');
    expect(await read('create_issue')).toMatchObject({
      ...{
        field: 'name',
        error: expect.stringMatching(
          /: (up__create_issue, other__create_issue|other__create_issue, up__create_issue)$/,
        ),
      },
    });
    expect((await through('create_issue')).message?.error).toMatchObject({ code: -32602 });
    expect(await read('other.create_issue')).toMatchObject({ name: 'other__create_issue' });
    for (const name of ['up__', 'create', '%']) expect(await read(name)).toMatchObject({ code: 'not_found' });
  });

  it('goes on from page to page, each tool once', async () => {
    scenario.up.tools = Array.from({ length: 120 }, (_, i) => tool(`read_${i}`, i % 2 ? 'Reads a file' : 'Reads'));
    await tenant.post('/v1/proxy/upstreams/up/refresh');
    await scenario.policy('deny_list', { tools: Array.from({ length: 90 }, (_, i) => `up.read_${i}`) });
    const pages: string[][] = [];
    for (let cursor: unknown; cursor !== null;) {
      const said = saidBy(await scenario.agent().call('searchTools', { query: 'read', limit: 7, cursor }));
      pages.push(named(said));
      cursor = said['next_cursor'];
    }
    expect(pages.map(({ length }) => length)).toEqual([7, 7, 7, 7, 2]);
    expect(new Set(pages.flat()).size).toBe(30);
  });

  it('is told which argument is wrong, and calls none of the own tools in another', async () => {
    const agent = scenario.agent();
    const refusals = [
      ['searchTools', {}, 'query'],
      ['searchTools', { query: '' }, 'query'],
      ['searchTools', { query: 'q'.repeat(501) }, 'query'],
      ['searchTools', { query: 'a', limit: 51 }, 'limit'],
      ['searchTools', { query: 'a', limit: 0.5 }, 'limit'],
      ['searchTools', { query: 'a', cursor: 'x' }, 'cursor'],
      ['describeTool', { name: 'n'.repeat(331) }, 'name'],
      ['describeTool', { name: 'up__none' }, 'name'],
      ['callTool', {}, 'name'],
      ['callTool', { name: 1 }, 'name'],
      ['callTool', { name: 'up.create_issue', arguments: [] }, 'arguments'],
      ['callTool', { name: 'up.create_issue', title: 't' }, 'arguments'],
      ...[...SEARCH, ...OWN].map((name) => ['callTool', { name }, 'name'] as const),
    ] as const;
    for (const [name, args, field] of refusals) {
      const reply = await agent.call(name, args);
      expect([name, args, reply.message?.result?.isError]).toEqual([name, args, true]);
      expect(saidBy(reply)).toMatchObject({ field });
    }
    expect((await through('up__none')).message?.error).toMatchObject({ code: -32602 });
    expect(scenario.up.calls).toEqual([]);
  });

  it('may ask for any text', async () => {
    const odd = [
      'or',
      'or or "',
      "' | & ! :* <-> ('",
      '-issue',
      'a\u0000b',
      '\ud800',
      '\\u0000',
      'x '.repeat(250),
      '%_',
    ];
    for (const query of [...odd, 'WÖRTER', '🙂', 'issue:*', '"create issue"'])
      expect([query, (await scenario.agent().call('searchTools', { query })).message?.result?.isError]).toEqual([
        ...[query, undefined],
      ]);
    expect(await search('issue')).toEqual(['up__create_issue']);
    expect(await search('pull')).toEqual(['up__listPullRequests']);
    expect(await search('due')).toEqual(['up__send_mail']);
    expect(await search('zählt')).toEqual(['up__w_rter']);
  });
});

describe('a call through callTool', () => {
  it('is the same call, to approval, price, retry and log', async () => {
    await tenant.put('/v1/proxy/upstreams/up/tools/create_issue/price', { price_usd: 2 });
    await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.create_issue'] });
    const agent = scenario.agent();
    const request = async (reply: Promise<McpReply>): Promise<unknown> => saidBy(await reply)['request_id'];
    const asked = await request(through('up__create_issue', { title: 'one' }));
    expect(asked).toEqual(expect.stringMatching(/^apr_/));
    expect(await request(agent.call('up.create_issue', { title: 'one' }))).toBe(asked);
    await tenant.post(`/v1/approvals/${String(asked)}/approve`);
    const once = { 'idempotency-key': 'once' };
    const first = await agent.call('up.create_issue', { title: 'one' }, once);
    expect(first.message?.result).toMatchObject({ content: [{ text: 'create_issue' }] });
    const again = await through('up.create_issue', { title: 'one' }, once);
    expect(again.message?.result?.content).toEqual(first.message?.result?.content);

    const other = await request(agent.call('up.create_issue', { title: 'two' }));
    await tenant.post(`/v1/approvals/${String(other)}/approve`);
    expect((await through('up.create_issue', { title: 'two' })).message?.result?.isError).toBeUndefined();
    expect(scenario.up.calls.map(({ arguments: args }) => args)).toEqual([{ title: 'one' }, { title: 'two' }]);
    expect((await tenant.get(`/v1/sessions/${scenario.session}`)).body).toMatchObject({
      spent: 4,
      catalogue: 'search',
    });
    const entries = await scenario.callEntries();
    expect(new Set(entries.map((entry) => entry.tool))).toEqual(new Set(['up.create_issue']));
    await tenant.delete(`/v1/sessions/${scenario.session}`);
    // What was answered is answered again, as a retry by name is.
    const late = await through('up.create_issue', { title: 'one' }, once);
    expect(late.message?.result?.content).toEqual(first.message?.result?.content);
    expect((await through('up.create_issue', { title: 'three' })).status).toBe(403);
  });

  it.each(REVISIONS)('passes on what the tool answers and says meanwhile, and its end (%s)', async (revision) => {
    await scenario.register('mcp', served.url);
    const agent = scenario.agent(revision);
    const weather = await through('mcp__weather', { region: 'eu' }, {}, agent);
    expect(weather.message?.result).toMatchObject({ structuredContent: { degrees: 21.5 } });
    expect((await through('mcp__fail', {}, {}, agent)).message?.result).toMatchObject({
      ...{ isError: true, content: [{ text: 'it did not work' }] },
    });
    const count = { name: 'callTool', arguments: { name: 'mcp__count', arguments: { to: 2 } } };
    const counted = await agent.ask('tools/call', { ...count, _meta: { progressToken: 'p' } });
    expect(counted.before.map(({ params }) => [params?.['progressToken'], params?.['progress']])).toEqual([
      ...[
        ['p', 1],
        ['p', 2],
      ],
    ]);
  });

  it('is cancelled by its client', async () => {
    await scenario.register('mcp', served.url);
    const party = { url: balancer.url, key: tenant.key ?? '', session: scenario.session };
    const clients = [await connectMcp(party), await connectMcp(party, 'handshake')];
    for (const [i, client] of clients.entries()) {
      const stop = new AbortController();
      const call = client.callTool(
        { name: 'callTool', arguments: { name: 'mcp.wait', arguments: {} } },
        { signal: stop.signal },
      );
      const ended = expect(call).rejects.toThrow();
      await vi.waitFor(() => expect(served.waiting).toBe(1), 20_000);
      stop.abort();
      await ended;
      await vi.waitFor(() => expect(served.cancelled).toBe(i + 1), 20_000);
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  it.each(REVISIONS)('may ask the human at the client, round by round (%s)', async (revision) => {
    await scenario.register('suite', scenario.keep(await startConformanceUpstream()).url);
    const asked: string[] = [];
    const party = { url: balancer.url, key: tenant.key ?? '', session: scenario.session };
    const client = await connectMcp(party, revision, {
      capabilities: { elicitation: {} },
      prepare: (it) =>
        it.setRequestHandler('elicitation/create', ({ params }) => {
          asked.push(params.message);
          return { action: 'accept', content: { name: 'Frodo', color: 'green' } };
        }),
    });
    const wanted = { name: 'suite.test_input_required_result_multi_round', arguments: {} };
    const { content } = await client.callTool({ name: 'callTool', arguments: wanted });
    expect([content, asked.length]).toEqual([[{ type: 'text', text: 'done' }], 2]);
    await client.close();
  });
});

describe('an agent key that searches', () => {
  const keyOf = async (ceiling: Record<string, unknown>): Promise<string> => {
    const agent = { agent_id: 'keyed', scopes: ['execute'], ttl: 600, spend_limit: 0, ...ceiling };
    return (await tenant.post<{ key: string }>('/v1/keys', { tier: 'enterprise', agent })).body.key;
  };

  it('does so in the session it goes on with, and in others unless they say otherwise', async () => {
    await scenario.upstream('other', 'create_other');
    const key = await keyOf({ catalogue: 'search', upstreams: ['other'] });
    const agent = new BareMcp({ url: balancer.url, key });
    expect(await scenario.toolNames(agent)).toEqual([...OWN, ...SEARCH]);
    expect(await search('create', agent)).toEqual(['other__create_other']);
    expect((await through('up.create_issue', {}, {}, agent)).message?.error).toMatchObject({ code: -32602 });
    const listed = (await tenant.get<{ keys: { agent: unknown }[] }>('/v1/keys?kind=agent')).body.keys;
    expect(listed.map((each) => each.agent)).toMatchObject([{ catalogue: 'search' }]);
    const opened = async (catalogue?: string): Promise<string[]> => {
      const response = await fetch(`${balancer.url}/v1/sessions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ agent_id: 'keyed', ...(catalogue === undefined ? {} : { catalogue }) }),
      });
      const { session_id: session } = (await response.json()) as { session_id: string };
      return scenario.toolNames(new BareMcp({ url: balancer.url, key, session }));
    };
    expect(await opened()).toEqual([...OWN, ...SEARCH]);
    expect(await opened('full')).toEqual([...OWN, 'other__create_other']);
    const rotated = await tenant.post<{ key: string }>(`/v1/keys/${key.slice(0, 14)}/rotate`, {});
    expect(await scenario.toolNames(new BareMcp({ url: balancer.url, key: rotated.body.key }))).toContain('callTool');
  });

  it('is one of no other kind, and of none that a row was edited into', async () => {
    for (const body of [
      { agent_id: 'agent', catalogue: 'none' },
      { agent_id: 'agent', catalogue: null },
    ])
      expect((await tenant.post('/v1/sessions', body)).body).toMatchObject({ field: 'catalogue' });
    const key = await keyOf({});
    const agent = new BareMcp({ url: balancer.url, key });
    expect(await scenario.toolNames(agent)).toEqual([...OWN, ...TOOLS.map(() => expect.stringContaining('up__'))]);
    expect((await agent.call('callTool', { name: 'up.create_issue' })).message?.error).toMatchObject({ code: -32602 });
    await world.sql(`UPDATE session SET catalogue = 'full' WHERE id = $1`, [scenario.session]);
    expect((await scenario.agent().ask('tools/list')).message?.error?.data).toMatchObject({ code: 'invalid_session' });
    await world.sql(`UPDATE api_key SET agent_catalogue = 'search' WHERE public_id = $1`, [key.slice(4, 14)]);
    expect((await agent.ask('tools/list')).status).toBe(401);
  });
});

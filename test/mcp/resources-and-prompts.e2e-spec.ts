import {
  type AppProcess,
  type Balancer,
  BareMcp,
  type Client,
  connectMcp,
  decidePending,
  type McpRevision,
  type McpParty,
  type McpReply,
  type ResourceUpstream,
  startApi,
  startBalancer,
  startResourceUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let tenant: Client;
let session: string;
let red: ResourceUpstream;
let blue: ResourceUpstream;

beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  balancer = await startBalancer(world.apis);
});
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});
beforeEach(async () => {
  tenant = await world.newTenant();
  session = await tenant.session({ agent_id: 'reader', scopes: ['read'] });
  red = await startResourceUpstream('red');
  blue = await startResourceUpstream('blue');
});
afterEach(async () => {
  await red.stop();
  await blue.stop();
});

const register = async (upstream: ResourceUpstream, name: string, prefix = true): Promise<void> => {
  const { status } = await tenant.post('/v1/proxy/upstreams', { name, url: upstream.url, prefix });
  expect(status).toBe(201);
};
const agent = (revision: McpRevision = 'stateless', of = session): BareMcp =>
  new BareMcp({ url: balancer.url, key: tenant.key ?? '', session: of }, revision);
const ask = (method: string, params: Record<string, unknown> = {}, client = agent()): Promise<McpReply> =>
  client.ask(method, params, typeof params['uri'] === 'string' ? { 'mcp-name': params['uri'] } : {});
const listed = async (method: string, member: string, key: string, client = agent()): Promise<unknown[]> => {
  const { message } = await ask(method, {}, client);
  return (message?.result?.[member] as Record<string, unknown>[]).map((item) => item[key]);
};
const read = (uri: string, client = agent()): Promise<McpReply> => ask('resources/read', { uri }, client);
const textOf = ({ message }: McpReply): unknown =>
  (message?.result?.['contents'] as { text: string }[] | undefined)?.[0]?.text ?? message?.error;
const saidBy = ({ message }: McpReply): unknown =>
  (message?.result?.['messages'] as { content: { text: string } }[] | undefined)?.[0]?.content.text ?? message?.error;
const entries = async (): Promise<Record<string, unknown>[]> => {
  const { body } = await tenant.get<{ entries: { action: string; tool: string; details: string }[] }>(
    '/v1/audit?limit=100&agent_id=reader',
  );
  return body.entries
    .filter(({ action }) => /^(resource_read|prompt_get|completion)/.test(action))
    .map(({ action, tool, details }) => ({ action, tool, ...(JSON.parse(details) as object) }))
    .reverse();
};

describe.each<McpRevision>(['stateless', 'handshake'])('an official client of the %s revisions', (revision) => {
  it('lists and reads the resources, and lists and gets the prompts, of every upstream', async () => {
    await register(red, 'red');
    await register(blue, 'blue', false);
    const client = await connectMcp({ url: balancer.url, key: tenant.key ?? '', session }, revision);
    expect(client.getServerCapabilities()).toMatchObject({ resources: {}, prompts: {}, completions: {} });
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(['doc://blue/one', 'doc://red/one']);
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([
      ...[{ uriTemplate: 'doc://blue/page/{n}' }, { uriTemplate: 'doc://red/page/{n}' }],
    ]);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['greet', 'red.greet']);
    expect((await client.readResource({ uri: 'doc://red/page/7' })).contents).toMatchObject([
      { text: 'red has doc://red/page/7' },
    ]);
    expect(await client.getPrompt({ name: 'red.greet', arguments: { who: 'me' } })).toMatchObject({
      messages: [{ content: { text: 'red says greet {"who":"me"}' } }],
    });
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'red.greet' },
      argument: { name: 'who', value: 'm' },
    });
    expect(completed.completion.values).toEqual(['{"type":"ref/prompt","name":"greet"}']);
    await client.close();
    expect(await entries()).toMatchObject([
      { action: 'resource_read', tool: 'red.doc://red/page/7', decision: 'allowed', result: 'ok' },
      { action: 'prompt_get', tool: 'red.greet', decision: 'allowed', latency_ms: expect.any(Number) },
      { action: 'completion', tool: 'red.greet', decision: 'allowed' },
    ]);
  });
});

it('an address that two upstreams have is refused with their names, and listed in a form that means one', async () => {
  red.resources = blue.resources = [{ uri: 'doc://shared', name: 'Shared' }];
  await register(red, 'red');
  await register(blue, 'blue');
  expect(textOf(await read('doc://shared'))).toMatchObject({
    code: -32602,
    data: { uri: 'doc://shared', upstreams: ['blue', 'red'] },
  });
  const shown = await listed('resources/list', 'resources', 'uri');
  expect(shown).toEqual(['haldir://upstream/blue/doc://shared', 'haldir://upstream/red/doc://shared']);
  expect(textOf(await read(String(shown[1])))).toBe('red has doc://shared');
  expect(textOf(await read('haldir://upstream/red/doc://red/page/3'))).toBe('red has doc://red/page/3');
  expect(saidBy(await ask('prompts/get', { name: 'greet' }))).toMatchObject({
    ...{ code: -32602, data: { upstreams: ['blue', 'red'] } },
  });
});

it('policies hide and refuse what they name, in either form, and nothing of it goes to the upstream', async () => {
  await register(red, 'red');
  const asked = red.asked.length;
  await tenant.post('/v1/proxy/policies', { type: 'deny_list', tools: ['doc://red/one', 'red.greet'] });
  expect(await listed('resources/list', 'resources', 'uri')).toEqual([]);
  expect(await listed('prompts/list', 'prompts', 'name')).toEqual([]);
  for (const reply of [await read('doc://red/one'), await read('haldir://upstream/red/doc://red/one')])
    expect(textOf(reply)).toMatchObject({ data: { blocked_by: 'haldir', policy: 'deny_list' } });
  expect(saidBy(await ask('prompts/get', { name: 'greet' }))).toMatchObject({ data: { policy: 'deny_list' } });
  await tenant.post('/v1/proxy/policies', { type: 'allow_list', tools: ['red.noop'] });
  expect(textOf(await read('doc://red/page/1'))).toMatchObject({ data: { policy: 'allow_list' } });
  expect(red.asked.slice(asked).filter((method) => method === 'resources/read' || method === 'prompts/get')).toEqual(
    [],
  );
  expect((await entries()).map(({ action, decision }) => [action, decision])).toEqual([
    ...[...Array<string>(2).fill('resource_read_blocked'), 'prompt_get_blocked', 'resource_read_blocked'].map(
      (action) => [action, 'blocked'],
    ),
  ]);
});

it('counts with the calls of tools under a rate', async () => {
  await register(red, 'red');
  await tenant.post('/v1/proxy/policies', { type: 'rate_limit', max_per_minute: 3 });
  const racing = await Promise.all(Array.from({ length: 8 }, () => read('doc://red/one')));
  expect(racing.filter(({ message }) => message?.result)).toHaveLength(3);
});

it('waits for approval where a rule asks for it, and is let through once', async () => {
  await register(red, 'red');
  await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['red.greet'] });
  const get = (who: string): Promise<McpReply> => ask('prompts/get', { name: 'red.greet', arguments: { who } });
  const held = (await get('me')).message?.error?.data;
  expect(held).toMatchObject({ status: 'approval_required' });
  await tenant.post(`/v1/approvals/${String(held?.['request_id'])}/approve`);
  expect((await get('you')).message?.error?.data).toMatchObject({ status: 'approval_required' });
  const racing = await Promise.all(Array.from({ length: 10 }, () => get('me')));
  expect(racing.filter(({ message }) => message?.result)).toHaveLength(1);
  expect(red.asked.filter((method) => method === 'prompts/get')).toHaveLength(1);
});

describe('a prompt that needs approval, of a client that can be kept waiting or asked', () => {
  let waiting: AppProcess;
  const party = (): McpParty => ({ url: waiting.url, key: tenant.key ?? '', session });
  const get = { name: 'red.greet', arguments: { who: 'me' } };
  beforeAll(async () => {
    waiting = await startApi({ ...world.environment, MCP_HOLD_SECONDS: '3' });
  });
  afterAll(() => waiting.stop());
  beforeEach(async () => {
    await register(red, 'red');
    await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['red.greet'] });
  });
  it.each<McpRevision>(['stateless', 'handshake'])(
    'is there once it is approved, and not once it is denied (%s)',
    async (revision) => {
      const client = await connectMcp(party(), revision);
      const approved = client.getPrompt(get);
      await decidePending(tenant, 'approve');
      expect((await approved).messages).toHaveLength(1);
      const denied = client.getPrompt(get);
      denied.catch(() => undefined);
      const id = await decidePending(tenant, 'deny');
      await expect(denied).rejects.toMatchObject({ data: { status: 'approval_denied', request_id: id } });
      expect(red.asked.filter((method) => method === 'prompts/get')).toHaveLength(1);
      expect((await entries()).map(({ action, decision }) => [action, decision])).toEqual([
        ['prompt_get_held', 'approval_required'],
        ['prompt_get', 'allowed'],
        ['prompt_get_held', 'approval_required'],
        ['prompt_get_blocked', 'approval_denied'],
      ]);
      await client.close();
    },
  );

  it('is asked about at the client, by question or by error', async () => {
    const asking = await connectMcp(party(), 'stateless', {
      capabilities: { elicitation: { url: {} } },
      prepare: (it) =>
        it.setRequestHandler('elicitation/create', async ({ params }) => {
          expect(params.mode === 'url' && params.url).toBe(
            `${waiting.url}/approvals/${await decidePending(tenant, 'approve')}`,
          );
          return { action: 'accept' };
        }),
    });
    expect((await asking.getPrompt(get)).messages).toHaveLength(1);
    await asking.close();
    const sent = await connectMcp(party(), 'handshake', { capabilities: { elicitation: { url: {} } } });
    await expect(sent.getPrompt(get)).rejects.toMatchObject({ code: -32042 });
    await decidePending(tenant, 'approve');
    expect((await sent.getPrompt(get)).messages).toHaveLength(1);
    await sent.close();
  });
});

it('shows and reads nothing without the scopes of session and key, or of another tenant', async () => {
  await register(red, 'red');
  const browsing = agent('stateless', await tenant.session({ agent_id: 'reader', scopes: ['browse'] }));
  expect(await listed('resources/list', 'resources', 'uri', browsing)).toEqual([]);
  expect(textOf(await read('doc://red/one', browsing))).toMatchObject({ data: { required: ['execute', 'read'] } });
  const { body } = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['audit:read'] });
  const keyless = new BareMcp({ url: balancer.url, key: body.key, session });
  expect(await listed('prompts/list', 'prompts', 'name', keyless)).toEqual([]);
  expect(textOf(await read('doc://red/one', keyless))).toMatchObject({ data: { required: 'proxy:call' } });
  const stranger = await world.newTenant();
  const other = new BareMcp({
    ...{ url: balancer.url, key: stranger.key ?? '', session: await stranger.session({ scopes: ['read'] }) },
  });
  expect(await listed('resources/list', 'resources', 'uri', other)).toEqual([]);
  expect(textOf(await read('doc://red/one', other))).toMatchObject({ code: -32602, data: { uri: 'doc://red/one' } });
  const operator = new BareMcp({ url: balancer.url, key: tenant.key ?? '' });
  expect((await ask('resources/list', {}, operator)).status).toBe(404);
  expect(red.asked).not.toContain('resources/read');
});

it('asks an upstream only for what it declares, and lists what was known while it does not answer', async () => {
  blue.capabilities = { tools: {} };
  await register(blue, 'blue');
  expect(blue.asked).toEqual(['tools/list']);
  await register(red, 'red');
  red.silent = ['resources/list', 'resources/templates/list', 'prompts/list'];
  // Whoever asks it itself waits until it is given up, after ten seconds.
  let isGivenUp = false;
  const asked = tenant.post('/v1/proxy/upstreams/red/refresh').finally(() => (isGivenUp = true));
  expect(await listed('resources/list', 'resources', 'uri')).toEqual(['doc://red/one']);
  expect(isGivenUp).toBe(false);
  expect((await asked).body).toMatchObject({ healthy: true });
  expect(await listed('resources/list', 'resources', 'uri')).toEqual(['doc://red/one']);
  red.silent = [];
  red.resources = [
    { uri: 'doc://red/two', name: 'Two' },
    { uri: 'doc://\u202ered', name: 'Turned' },
    { name: 'no address' },
  ];
  await tenant.post('/v1/proxy/upstreams/red/refresh');
  for (const _ of world.apis) expect(await listed('resources/list', 'resources', 'uri')).toEqual(['doc://red/two']);
  expect(textOf(await read('doc://red/one', agent('handshake')))).toMatchObject({ code: -32002 });
});

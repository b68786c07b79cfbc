import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import {
  type AppProcess,
  byStatus,
  type Client,
  eventually,
  Scenario,
  startApi,
  startEverything,
  startFakeUpstream,
  startHungUpstream,
  startWorker,
  startWorld,
  times,
  type World,
} from '@haldir/test-support';
import { Client as Postgres } from 'pg';
import { z } from 'zod';

interface Upstreams {
  upstreams: Record<string, { url: string; healthy: boolean; tools: number; total_calls: number; error?: string }>;
  total_tools: number;
  count: number;
  next_cursor: string | null;
}

let world: World;
let worker: AppProcess;
let scenario: Scenario;
beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { UPSTREAM_TIMEOUT_SECONDS: '3' } });
  worker = await startWorker(world.environment);
});
afterAll(async () => {
  await worker.stop();
  await world.stop();
});
beforeEach(async () => {
  scenario = await Scenario.begin(world);
});
afterEach(() => scenario.end());

const list = async (query = ''): Promise<Upstreams> =>
  (await scenario.tenant.get<Upstreams>(`/v1/proxy/upstreams${query}`)).body;

/** A server of the protocol revision without sessions, by the reference implementation. */
async function startStatelessServer(): Promise<{ url: string; methods: string[]; stop(): Promise<void> }> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'stateless', version: '1.0.0' });
    server.registerTool(
      'add',
      { description: 'Adds', inputSchema: z.object({ a: z.number(), b: z.number() }) },
      ({ a, b }) => ({
        content: [{ type: 'text', text: String(a + b) }],
        structuredContent: { sum: a + b },
      }),
    );
    server.registerTool('fail', { inputSchema: z.object({}) }, () => ({
      isError: true,
      content: [{ type: 'text', text: 'no' }],
    }));
    return server;
  });
  const node = toNodeHandler(handler);
  const methods: string[] = [];
  const server = createServer((request, response) => {
    methods.push(String(request.headers['mcp-method']));
    void node(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    methods,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

describe('an upstream', () => {
  it('of the revision without sessions is spoken to in its own way', async () => {
    const stateless = scenario.keep(await startStatelessServer());
    expect((await scenario.register('math', stateless.url)).body).toMatchObject({
      healthy: true,
      tool_names: ['add', 'fail'],
    });
    const { status, body } = await scenario.call('add', { a: 2, b: 3 });
    expect([status, body]).toMatchObject([
      200,
      { content: [{ type: 'text', text: '5' }], structuredContent: { sum: 5 } },
    ]);
    expect(await scenario.call('math.fail')).toMatchObject({
      status: 200,
      body: { isError: true, content: [{ text: 'no' }] },
    });
    const invalid = await scenario.call('add', { a: 'two', b: 3 });
    expect([invalid.status, invalid.body.isError]).toEqual([200, true]);
    expect(stateless.methods).not.toContain('initialize');
  });

  it('keeps its connections and its handshake from call to call', async () => {
    const stateless = scenario.keep(await startStatelessServer());
    await scenario.register('math', stateless.url);
    await scenario.call('add', { a: 0, b: 0 });
    // The worker listens to it besides.
    await eventually(async () => expect(stateless.methods).toContain('subscriptions/listen'), 5_000, 50);
    const before = stateless.methods.length;
    await times(30, (i) => scenario.call('add', { a: i, b: 1 }));
    expect(stateless.methods.slice(before)).toEqual(Array<string>(30).fill('tools/call'));
  });

  it('that is dead when it is registered is registered all the same, and recovers by itself', async () => {
    const everything = await startEverything();
    await everything.kill();
    const { status, body } = await scenario.register('late', everything.url);
    expect([status, body]).toEqual([
      201,
      {
        registered: true,
        name: 'late',
        url: everything.url,
        healthy: false,
        tools_discovered: 0,
        tool_names: [],
        error: expect.any(String),
      },
    ]);
    expect((await list()).upstreams['late']).toMatchObject({ healthy: false, tools: 0, error: expect.any(String) });
    expect((await scenario.call('echo', { message: '1' })).status).toBe(404);
    await everything.start();
    try {
      // Nobody calls it meanwhile.
      await eventually(
        async () => expect((await list()).upstreams['late']).toMatchObject({ healthy: true }),
        20_000,
        250,
      );
      expect((await list()).upstreams['late']).not.toHaveProperty('error');
      expect((await scenario.call('late.echo', { message: '2' })).body.content[0]?.text).toBe('Echo: 2');
    } finally {
      await everything.kill();
    }
  });

  it('that is dead when it is registered is found by the first call after it came to life', async () => {
    const upstream = scenario.keep(await startFakeUpstream('echo'));
    await upstream.stop();
    await scenario.register('late', upstream.url);
    expect((await scenario.call('late.echo')).status).toBe(404);
    await upstream.start();
    await eventually(async () => expect((await scenario.call('late.echo')).status).toBe(200), 4_000, 100);
  });

  it('is found dead without a call, while others that hang are checked', async () => {
    const hung = scenario.keep(await startHungUpstream());
    const strangers = await times(8, async () => Scenario.begin(world));
    await Promise.all(strangers.flatMap((stranger) => times(8, (i) => stranger.register(`hung-${i}`, hung.url))));
    const upstream = await scenario.upstream('up', 'echo');
    await upstream.stop();
    const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
    await db.connect();
    await db.query('UPDATE proxy_upstream SET next_check_at = now()');
    await db.end();
    await eventually(async () => expect((await list()).upstreams['up']).toMatchObject({ healthy: false }), 10_000, 100);
  });

  it('that offers other tools offers no longer what it did before', async () => {
    const upstream = await scenario.upstream('up', 'echo', 'old');
    upstream.tools = [
      { name: 'echo', inputSchema: { type: 'object' } },
      { name: 'new', description: 'Is new' },
    ];
    const refreshed = await scenario.tenant.post('/v1/proxy/upstreams/up/refresh');
    expect([refreshed.status, refreshed.body]).toEqual([
      200,
      {
        refreshed: true,
        name: 'up',
        url: upstream.url,
        healthy: true,
        tools_discovered: 2,
        tool_names: ['echo', 'new'],
      },
    ]);
    expect(byStatus([await scenario.call('old'), await scenario.call('up.old')])).toEqual({ 404: 2 });
    expect((await scenario.call('new')).status).toBe(200);
    const { tools } = (await scenario.tenant.get<{ tools: unknown[] }>('/v1/proxy/tools')).body;
    expect(tools).toEqual([
      {
        name: 'echo',
        description: '',
        upstream: 'up',
        qualified_name: 'up.echo',
        model_name: 'up__echo',
        input_schema: { type: 'object' },
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      {
        name: 'new',
        description: 'Is new',
        upstream: 'up',
        qualified_name: 'up.new',
        model_name: 'up__new',
        input_schema: { type: 'object' },
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    // Without being asked, too.
    upstream.tools = [{ name: 'newest' }];
    await eventually(async () => expect((await scenario.call('newest')).status).toBe(200), 30_000, 500);
    expect((await scenario.call('new')).status).toBe(404);

    await upstream.stop();
    expect((await scenario.tenant.post('/v1/proxy/upstreams/up/refresh')).body).toMatchObject({
      healthy: false,
      error: expect.any(String),
    });
    expect((await scenario.call('newest')).status).toBe(502);
    expect((await scenario.tenant.post('/v1/proxy/upstreams/other/refresh')).status).toBe(404);
  }, 60_000);

  it('registered again under its name is replaced, and removed it is gone', async () => {
    const first = await scenario.upstream('up', 'echo', 'old');
    const second = await scenario.upstream('up', 'echo');
    expect(await list()).toMatchObject({ count: 1, total_tools: 1, upstreams: { up: { url: second.url, tools: 1 } } });
    expect((await scenario.call('echo')).status).toBe(200);
    expect((await scenario.call('old')).status).toBe(404);
    expect([first.calls.length, second.calls.length]).toEqual([0, 1]);
    expect((await scenario.tenant.delete('/v1/proxy/upstreams/up')).body).toEqual({ deleted: true, name: 'up' });
    expect((await scenario.tenant.delete('/v1/proxy/upstreams/up')).status).toBe(404);
    expect((await scenario.call('up.echo')).status).toBe(404);
    expect(await list()).toMatchObject({ count: 0, total_tools: 0, upstreams: {} });
  });

  it('that is replaced while calls are under way finishes them', async () => {
    const everything = await startEverything();
    try {
      await scenario.register('up', everything.url, { timeout: 30 });
      const slow = times(5, () => scenario.call('up.trigger-long-running-operation', { duration: 4, steps: 2 }));
      await new Promise((resolve) => setTimeout(resolve, 300));
      // Workers look every two seconds for sessions that are to be ended.
      await scenario.register('up', everything.url, { timeout: 30 });
      expect((await scenario.call('up.echo', { message: 'x' })).status).toBe(200);
      expect((await slow).map(({ status, body }) => [status, body.isError ?? false])).toEqual(
        Array(5).fill([200, false]),
      );
    } finally {
      await everything.kill();
    }
  });

  it('may be told from its address that it is none of Haldir’s business', async () => {
    for (const url of [
      'http://169.254.169.254/mcp',
      'http://10.0.0.1/mcp',
      'http://[::ffff:10.0.0.1]/',
      'http://0.0.0.0/mcp',
    ]) {
      const { status, body } = await scenario.register('up', url);
      expect([url, status, body['code']]).toEqual([url, 400, 'egress_refused']);
      expect(body['error']).not.toContain('169.254');
    }
    expect(await list()).toMatchObject({ count: 0 });
  });

  it.each([
    [{ url: 'http://127.0.0.1:9/' }, 'name'],
    [{ name: '', url: 'http://127.0.0.1:9/' }, 'name'],
    [{ name: 'a.b', url: 'http://127.0.0.1:9/' }, 'name'],
    [{ name: 'x'.repeat(65), url: 'http://127.0.0.1:9/' }, 'name'],
    [{ name: 7, url: 'http://127.0.0.1:9/' }, 'name'],
    [{ name: 'up' }, 'url'],
    [{ name: 'up', url: 'not a url' }, 'url'],
    [{ name: 'up', url: '/relative' }, 'url'],
    [{ name: 'up', url: 'ftp://127.0.0.1/' }, 'url'],
    [{ name: 'up', url: 'file:///etc/passwd' }, 'url'],
    [{ name: 'up', url: 'http://user:word@127.0.0.1:9/' }, 'url'],
    [{ name: 'up', url: null }, 'url'],
  ])('like %j is refused, naming %s', async (body, field) => {
    const reply = await scenario.tenant.post('/v1/proxy/upstreams', body);
    expect([reply.status, reply.body['error']]).toEqual([400, expect.stringMatching(new RegExp(`^${field}\\b`))]);
  });

  it.each(['a.b', '%F0%9F%99%82', 'x'.repeat(65), '__proto__', '%2F'])(
    'that cannot be, called %s, is not found',
    async (name) => {
      expect((await scenario.tenant.delete(`/v1/proxy/upstreams/${name}`)).status).toBe(404);
      expect((await scenario.tenant.post(`/v1/proxy/upstreams/${name}/refresh`)).status).toBe(404);
      expect((await scenario.tenant.delete(`/v1/proxy/policies/${name}`)).status).toBe(404);
    },
  );

  it('says nothing of what a server that is none answered', async () => {
    const server = createServer((_request, response) => response.writeHead(500).end('<h1>secret page</h1>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { body } = await scenario.register('web', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    server.closeAllConnections();
    server.close();
    expect(body).toMatchObject({ healthy: false, upstream_status: 500 });
    expect(JSON.stringify(body)).not.toContain('secret page');
  });
});

describe('lists', () => {
  it('of upstreams and tools come in pages, whole unless asked otherwise', async () => {
    const upstream = scenario.keep(await startFakeUpstream(...Array.from({ length: 120 }, (_, i) => `t${i}`)));
    for (const name of ['c', 'a', 'b']) await scenario.register(name, upstream.url);
    const all = (await scenario.tenant.get<{ tools: unknown[]; count: number }>('/v1/proxy/tools')).body;
    expect(all.count).toBe(360);
    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = `/v1/proxy/tools?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const page: { tools: unknown[]; next_cursor: string | null } = (
        await scenario.tenant.get<{ tools: unknown[]; next_cursor: string | null }>(query)
      ).body;
      seen.push(...page.tools);
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(all.tools);
    const first = await list('?limit=2');
    expect(Object.keys(first.upstreams)).toEqual(['a', 'b']);
    expect(Object.keys((await list(`?limit=2&cursor=${first.next_cursor}`)).upstreams)).toEqual(['c']);
    expect((await scenario.tenant.get(`/v1/proxy/tools?cursor=${first.next_cursor}`)).status).toBe(400);
    for (const path of ['upstreams', 'tools', 'policies']) {
      expect((await scenario.tenant.get(`/v1/proxy/${path}?limit=0`)).status).toBe(400);
    }
  });
});

it('sums over calls survive the end of the process that made them', async () => {
  await scenario.upstream('up', 'echo');
  const api = await startApi(world.environment);
  const there: Client = scenario.tenant.at(api);
  await times(12, () => scenario.call('echo', {}, { by: there }));
  expect(await api.stop()).toBe(0);
  expect((await list()).upstreams['up']).toMatchObject({ total_calls: 12 });
});

it('registrations and removals leave a trace in the log, without what an address may hide', async () => {
  const upstream = scenario.keep(await startFakeUpstream('echo'));
  await scenario.register('up', `${upstream.url}?token=hush`);
  await scenario.tenant.delete('/v1/proxy/upstreams/up');
  const { entries } = (
    await scenario.tenant.get<{ entries: { action: string; details: string }[] }>('/v1/audit?tool=haldir.proxy')
  ).body;
  expect(entries.map(({ action }) => action)).toEqual(['upstream_removed', 'upstream_registered']);
  expect(JSON.parse(entries[1]?.details ?? '')).toMatchObject({
    upstream: 'up',
    url: new URL(upstream.url).origin,
    tools: 1,
    by: expect.stringMatching(/^hld_/),
  });
  expect(JSON.stringify(entries)).not.toContain('hush');
});

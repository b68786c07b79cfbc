import {
  type AppProcess,
  type Client,
  type EverythingServer,
  type FakeUpstream,
  type Reply,
  RpcFailure,
  startEverything,
  startFakeUpstream,
  startHungUpstream,
  startWorld,
  text,
  type World,
} from '@haldir/test-support';
import { Client as Postgres } from 'pg';

interface Result {
  isError?: boolean;
  content: { type: string; text: string }[];
  error?: string;
  code?: string;
}
interface Entry {
  source: string;
  agent_id: string;
  tool: string;
  action: string;
  details: Record<string, unknown>;
}

let world: World;
let here: Client;
let session: string;
let db: Postgres;
const upstreams: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { UPSTREAM_TIMEOUT_SECONDS: '4' } });
  db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await db.connect();
});
beforeEach(async () => {
  here = await world.newTenant();
  session = await here.session({ agent_id: 'agent', scopes: ['execute'] });
});
afterAll(async () => {
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
  await db.end();
  await world.stop();
});

const register = (tenant: Client, name: string, url: string): Promise<Reply> =>
  tenant.post('/v1/proxy/upstreams', { name, url });
const call = (tool: string, args: Record<string, unknown> = {}, sessionId = session): Promise<Reply<Result>> =>
  here.post<Result>('/v1/proxy/call', { tool, arguments: args, session_id: sessionId });
const fake = async (name: string, ...tools: string[]): Promise<FakeUpstream> => {
  const upstream = await startFakeUpstream(...tools);
  upstreams.push(upstream);
  expect((await register(here, name, upstream.url)).body).toMatchObject({ healthy: true });
  return upstream;
};
/** What the single text block of a refusal says. */
const refusal = ({ body }: Reply<Result>): unknown => {
  expect(body.isError).toBe(true);
  expect(body.content).toHaveLength(1);
  return JSON.parse(body.content[0]?.text ?? '');
};
const entriesOf = async (sessionId: string): Promise<Entry[]> => {
  const { rows } = await db.query<Omit<Entry, 'details'> & { details: string }>(
    `SELECT source, agent_id, tool, action, details FROM audit_entry WHERE session_id = $1 AND source = 'proxy' ORDER BY seq`,
    [sessionId],
  );
  return rows.map((row) => ({ ...row, details: JSON.parse(row.details) as Record<string, unknown> }));
};

describe('server-everything as an upstream', () => {
  let everything: EverythingServer;
  beforeAll(async () => {
    everything = await startEverything();
  });
  afterAll(() => everything.kill());

  it('is discovered, listed, and called by bare and by namespaced name', async () => {
    const registered = await register(here, 'everything', everything.url);
    expect(registered.status).toBe(201);
    expect(registered.body).toMatchObject({ registered: true, name: 'everything', url: everything.url, healthy: true });
    const names = registered.body['tool_names'] as string[];
    expect(names).toContain('echo');
    expect(registered.body['tools_discovered']).toBe(names.length);

    const { tools, count } = (await here.get<{ tools: Record<string, unknown>[]; count: number }>('/v1/proxy/tools'))
      .body;
    expect(count).toBe(names.length);
    expect(tools.find(({ name }) => name === 'echo')).toMatchObject({
      description: expect.stringMatching(/echo/i),
      upstream: 'everything',
      qualified_name: 'everything.echo',
    });

    for (const name of ['echo', 'everything.echo']) {
      const { status, body } = await call(name, { message: 'mellon' });
      expect([status, body.content]).toEqual([200, [{ type: 'text', text: 'Echo: mellon' }]]);
    }
    expect((await here.at(world.apis[1] as AppProcess).get('/v1/proxy/upstreams')).body).toMatchObject({
      upstreams: { everything: { url: everything.url, healthy: true, tools: names.length } },
      total_tools: names.length,
      policies: 0,
      count: 1,
      next_cursor: null,
    });
    const { upstreams: stats } = (
      await here.get<{ upstreams: Record<string, Record<string, number>> }>('/v1/proxy/upstreams')
    ).body;
    expect(stats['everything']).toMatchObject({ total_calls: 2, total_errors: 0 });
    expect(stats['everything']?.['avg_latency_ms']).toBeGreaterThan(0);
    expect(stats['everything']?.['last_check']).toBeGreaterThan(Date.now() / 1000 - 60);
  });

  it('is called again without anyone noticing after it forgot its sessions', async () => {
    await register(here, 'everything', everything.url);
    expect((await call('echo', { message: '1' })).status).toBe(200);
    await everything.kill();
    await everything.start();
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => call('echo', { message: String(i) })));
    expect(replies.map(({ body }) => body.content[0]?.text)).toEqual(replies.map((_, i) => `Echo: ${i}`));
  });
});

describe('a call', () => {
  it('asks for a live session first, then for its scope, whatever the tool', async () => {
    const expired = await here.session({ scopes: ['execute'], ttl: 1 });
    const revoked = await here.session({ scopes: ['execute'] });
    await here.delete(`/v1/sessions/${revoked}`);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const dead of [expired, revoked, 'ses_unknown', await (await world.newTenant()).session()]) {
      const { status, body } = await call('anything', {}, dead);
      expect([status, typeof body.error]).toEqual([401, 'string']);
    }

    await fake('up', 'echo');
    const browser = await here.session({ scopes: ['browse', 'execute:mail'] });
    const denied = await call('echo', {}, browser);
    expect(denied.status).toBe(403);
    expect(refusal(denied)).toMatchObject({ blocked_by: 'haldir', error: expect.any(String) });
    for (const scope of ['read', 'execute', 'admin']) {
      expect((await call('echo', {}, await here.session({ scopes: [scope] }))).status).toBe(200);
    }
  });

  it('hands on what the tool answers, its own error included, and gives arguments on as they came', async () => {
    const upstream = await fake('up', 'echo');
    const answer = {
      isError: true,
      content: [
        { type: 'text', text: 'no such file' },
        { type: 'image', data: 'AA==', mimeType: 'image/png' },
      ],
      structuredContent: { n: 1 },
    };
    upstream.answer = () => answer;
    const args = { nested: { list: [1, 2.5, null, 'ü'] }, empty: '' };
    const { status, body } = await call('echo', args);
    expect([status, body]).toEqual([200, answer]);
    expect(upstream.calls).toEqual([{ tool: 'echo', arguments: args }]);

    upstream.answer = () => {
      throw new RpcFailure(-32602, 'message is required');
    };
    const refused = await call('echo');
    expect(refused.status).toBe(200);
    expect(refused.body).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'MCP error -32602: message is required' }],
    });
    expect((await here.post('/v1/proxy/call', { tool: 'echo', session_id: session })).status).toBe(200);
    expect(upstream.calls.at(-1)?.arguments).toEqual({});
  });

  it('finds tools with dots, and a bare name only while one upstream has it', async () => {
    await fake('one', 'files.read', 'shared');
    await fake('two', 'shared', 'one.shared');
    expect((await call('files.read')).body.content[0]?.text).toBe('files.read');
    expect((await call('one.files.read')).body.content[0]?.text).toBe('files.read');
    expect((await call('two.shared')).status).toBe(200);
    // A name that says its upstream means that one, though another's tool is called so.
    expect((await call('one.shared')).body.content[0]?.text).toBe('shared');
    expect((await call('two.one.shared')).body.content[0]?.text).toBe('one.shared');

    const ambiguous = await call('shared');
    expect(ambiguous.status).toBe(404);
    expect(refusal(ambiguous)).toMatchObject({ upstreams: ['one', 'two'] });
    const unknown = await call('files.write');
    expect(unknown.status).toBe(404);
    expect(refusal(unknown)).toMatchObject({ error: 'Unknown tool', blocked_by: 'haldir' });
    expect((await here.delete('/v1/proxy/upstreams/two')).body).toEqual({ deleted: true, name: 'two' });
    expect((await call('shared')).status).toBe(200);
  });

  it('is one audit entry whatever becomes of it, with a digest in place of its arguments', async () => {
    const upstream = await fake('up', 'echo');
    const secret = 'correct horse battery staple';
    const agent = await here.session({ agent_id: 'auditee', scopes: ['execute'] });
    await call('echo', { secret }, agent);
    upstream.answer = () => ({ isError: true, ...(text('no') as object) });
    await call('up.echo', { secret }, agent);
    await call('nothing', { secret }, agent);
    const { body: policy } = await here.post<{ id: string }>('/v1/proxy/policies', {
      type: 'block_tool',
      tool: 'echo',
    });
    await call('echo', { secret }, agent);
    await here.delete(`/v1/proxy/policies/${policy.id}`);
    await here.post('/v1/approvals/rules', { type: 'all' });
    await call('echo', { secret }, agent);
    const { rules } = (await here.get<{ rules: { id: string }[] }>('/v1/approvals/rules')).body;
    await here.delete(`/v1/approvals/rules/${rules[0]?.id}`);
    await upstream.stop();
    await call('echo', { secret }, agent);

    const entries = await entriesOf(agent);
    expect(entries.map(({ tool, action, details }) => [tool, action, details['decision']])).toEqual([
      ['up.echo', 'tool_call', 'allowed'],
      ['up.echo', 'tool_call', 'allowed'],
      ['nothing', 'tool_call_blocked', 'blocked'],
      ['up.echo', 'tool_call_blocked', 'blocked'],
      ['up.echo', 'tool_call_held', 'approval_required'],
      ['up.echo', 'tool_call', 'allowed'],
    ]);
    expect(entries.map(({ details }) => details['result'] ?? null)).toEqual([
      'ok',
      'tool_error',
      null,
      null,
      null,
      'unreachable',
    ]);
    for (const { agent_id, details } of entries) {
      expect(agent_id).toBe('auditee');
      expect(details['latency_ms']).toBeGreaterThan(0);
      expect(details['arguments_sha256']).toBe(entries[0]?.details['arguments_sha256']);
      expect(details['arguments_sha256']).toMatch(/^[0-9a-f]{64}$/);
    }
    const { rows } = await db.query(`SELECT 1 FROM audit_entry WHERE details LIKE '%' || $1 || '%'`, [secret]);
    expect(rows).toEqual([]);
    expect(world.apis.filter((api) => api.output().includes(secret) || api.output().includes(agent))).toEqual([]);
  });

  it('of a dead session is recorded too, without the credential that was sent', async () => {
    const tool = `dead-${Math.random()}`;
    await call(tool, {}, 'ses_notasession');
    const { rows } = await db.query('SELECT session_id, agent_id, action FROM audit_entry WHERE tool = $1', [tool]);
    expect(rows).toEqual([{ session_id: '', agent_id: '', action: 'tool_call_blocked' }]);
  });

  it('to an upstream that is gone answers 502, and works again as soon as the upstream does', async () => {
    const upstream = await fake('up', 'echo');
    const health = async (): Promise<unknown> =>
      (await here.get<{ upstreams: Record<string, unknown> }>('/v1/proxy/upstreams')).body.upstreams['up'];
    expect((await call('echo')).status).toBe(200);
    await upstream.stop();
    const lost = await call('echo');
    expect([lost.status, lost.body]).toMatchObject([502, { code: 'upstream_unreachable', error: expect.any(String) }]);
    expect(await health()).toMatchObject({
      healthy: false,
      error: expect.any(String),
      total_calls: 2,
      total_errors: 1,
    });
    await upstream.start();
    expect((await call('echo')).status).toBe(200);
    expect(await health()).toMatchObject({ healthy: true, total_calls: 3, total_errors: 1 });
    expect(await health()).not.toHaveProperty('error');
  });

  it('waits for no other upstream, however many calls hang there', async () => {
    const upstream = await fake('quick', 'echo');
    const slow = await fake('slow', 'sleep');
    slow.answer = () => new Promise(() => undefined);
    const hanging = Array.from({ length: 60 }, () => call('sleep'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    let given = 0;
    for (const each of hanging) void each.then(() => given++);
    // One that waited for the others would be answered after them.
    expect((await call('echo')).status).toBe(200);
    expect(given).toBe(0);
    for (let i = 1; i < 20; i++) expect((await call('echo')).status).toBe(200);
    expect(upstream.calls).toHaveLength(20);
    const lost = await Promise.all(hanging);
    expect(new Set(lost.map(({ status }) => status))).toEqual(new Set([502]));
  });

  it('registers a hung upstream as one that is not healthy', async () => {
    const hung = await startHungUpstream();
    upstreams.push(hung);
    const { status, body } = await register(here, 'hung', hung.url);
    expect([status, body]).toMatchObject([201, { healthy: false, tools_discovered: 0, tool_names: [] }]);
    expect(body['error']).toEqual(expect.any(String));
  });

  it.each([
    [{ tool: 'x' }, 'session_id'],
    [{ session_id: 's' }, 'tool'],
    [{ session_id: 's', tool: '' }, 'tool'],
    [{ session_id: 's', tool: 7 }, 'tool'],
    [{ session_id: 's', tool: 'x', arguments: [] }, 'arguments'],
    [{ session_id: 's', tool: 'x', arguments: 'y' }, 'arguments'],
    [{ session_id: 7, tool: 'x' }, 'session_id'],
    [{ session_id: 's', tool: 'x'.repeat(331) }, 'tool'],
  ])('with a body like %j is refused, naming %s', async (body, field) => {
    const reply = await here.post<Result>('/v1/proxy/call', body);
    expect([reply.status, reply.body.error]).toEqual([400, expect.stringMatching(new RegExp(`^${field}:`))]);
  });

  it('needs a key that may write to the proxy', async () => {
    const mint = async (scope: string): Promise<string> =>
      (await here.post<{ key: string }>('/v1/keys', { scopes: [scope] })).body.key;
    const reader = { 'x-api-key': await mint('proxy:read') };
    const anyone = Object.assign(Object.create(Object.getPrototypeOf(here) as object) as Client, {
      url: here.url,
      key: null,
    });
    expect((await anyone.get('/v1/proxy/tools', reader)).status).toBe(200);
    const refused = await anyone.post('/v1/proxy/call', { tool: 'x', session_id: session }, reader);
    expect([refused.status, refused.body['required']]).toEqual([403, 'proxy:call']);
  });
});

it('shows a tenant nothing of another: upstreams, tools, policies, calls', async () => {
  await fake('up', 'echo');
  const policy = await here.post<{ id: string }>('/v1/proxy/policies', { type: 'block_tool', tool: 'other' });
  const stranger = await world.newTenant();
  const strange = await stranger.session({ scopes: ['execute'] });

  expect((await stranger.get('/v1/proxy/upstreams')).body).toMatchObject({
    upstreams: {},
    total_tools: 0,
    policies: 0,
  });
  expect((await stranger.get('/v1/proxy/tools')).body).toMatchObject({ count: 0, tools: [] });
  expect((await stranger.get('/v1/proxy/policies')).body).toMatchObject({ count: 0, policies: [] });
  for (const tool of ['echo', 'up.echo']) {
    const body = { tool, session_id: strange };
    expect((await stranger.post('/v1/proxy/call', body)).status).toBe(404);
    expect((await stranger.post('/v1/proxy/call', { ...body, session_id: session })).status).toBe(401);
  }
  expect((await stranger.delete('/v1/proxy/upstreams/up')).status).toBe(404);
  expect((await stranger.post('/v1/proxy/upstreams/up/refresh')).status).toBe(404);
  expect((await stranger.delete(`/v1/proxy/policies/${policy.body.id}`)).status).toBe(404);
  // The same name is another upstream.
  const own = await startFakeUpstream('theirs');
  upstreams.push(own);
  await register(stranger, 'up', own.url);
  expect((await call('up.echo')).status).toBe(200);
  expect((await call('up.theirs')).status).toBe(404);
  expect((await here.get('/v1/proxy/policies')).body).toMatchObject({ count: 1 });
});

import { Client as OfficialClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as PgClient } from 'pg';
import {
  type Balancer,
  BareMcp,
  type Client,
  type FakeUpstream,
  type McpRevision,
  type McpParty,
  saidBy,
  startBalancer,
  startFakeUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let tenant: Client;
let party: McpParty & { session: string };
let upstream: FakeUpstream;

beforeAll(async () => {
  world = await startWorld({ processes: 3 });
  balancer = await startBalancer(world.apis);
});
beforeEach(async () => {
  tenant = await world.newTenant();
  upstream = await startFakeUpstream('trap');
  await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
  party = { url: balancer.url, key: tenant.key ?? '', session: await tenant.session({ scopes: ['execute'] }) };
});
afterEach(() => upstream.stop());
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});

const REVISIONS: McpRevision[] = ['stateless', 'handshake'];
const CALL = { name: 'up.trap', arguments: {} };
const ask = (more: Record<string, unknown> = {}): unknown => ({
  resultType: 'input_required',
  inputRequests: {
    name: {
      method: 'elicitation/create',
      params: { message: 'Who are you?', requestedSchema: { type: 'object', properties: {} } },
    },
  },
  ...more,
});
const entries = async (): Promise<unknown[]> =>
  (await tenant.get<{ entries: { details: string }[] }>('/v1/audit?tool=up.trap')).body.entries
    .map(({ details }) => JSON.parse(details) as unknown)
    .reverse();

/** The official client of a human who answers every question with `Frodo`. */
async function connect(
  revision: McpRevision,
  { headers = {}, onAsked = () => Promise.resolve() }: { headers?: object; onAsked?: () => Promise<unknown> } = {},
): Promise<OfficialClient> {
  const client = new OfficialClient(
    { name: 'test', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { mode: revision === 'stateless' ? 'auto' : 'legacy' },
    },
  );
  client.setRequestHandler('elicitation/create', async () => {
    await onAsked();
    return { action: 'accept', content: { name: 'Frodo' } };
  });
  const all = { authorization: `Bearer ${party.key}`, 'x-session-id': party.session, ...headers };
  await client.connect(
    new StreamableHTTPClientTransport(new URL('/mcp', party.url), { requestInit: { headers: all } }),
  );
  return client;
}

describe('a client', () => {
  it.each([
    ['half a character', String.raw`{"responses":{"a":"\ud800"}}`],
    ['a thousand levels', `{"responses":${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}}`],
  ])('is told what is wrong with a requestState that it made itself: %s', async (_, text) => {
    await tenant.post('/v1/approvals/rules', { type: 'all' });
    const agent = new BareMcp(party);
    const requestState = `haldir:${Buffer.from(text).toString('base64url')}`;
    const params = agent.paramsOf({ ...CALL, requestState });
    Object.assign(params['_meta'] as object, {
      'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
    });
    const { status, message } = await agent.send(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      agent.headersFor('tools/call', params),
    );
    expect([status, message?.error?.code]).toEqual([200, -32602]);
  });
});

describe('an upstream', () => {
  it.each(REVISIONS)('has nothing but an object taken for _meta (%s)', async (revision) => {
    for (const meta of ['x'.repeat(1_000_000), Array.from({ length: 1_000 }, () => 1), 7, null]) {
      upstream.answer = () => ({ content: [], _meta: meta });
      const { message } = await new BareMcp(party, revision).call('up.trap');
      if (revision === 'stateless') expect(Object.keys(message?.result?.['_meta'] ?? {})).toHaveLength(1);
      expect(message?.result?.content).toEqual([]);
    }
  });

  describe.each(REVISIONS)('that asks under names, or with a state, that no request may hold (%s)', (revision) => {
    it.each([
      ['half a character as a state', { requestState: '\ud800' }],
      ['an object as a state', { requestState: {} }],
      ['half a character as a name', { inputRequests: { '\ud800': {} } }],
      ['a name that is none', { inputRequests: JSON.parse('{"__proto__":{}}') as object }],
    ])('has given no usable answer: %s', async (_, more) => {
      await tenant.post('/v1/proxy/policies', { type: 'rate_limit', max_per_minute: 5 });
      upstream.answer = () => ask(more);
      const client = await connect(revision);
      const result = await client.callTool(CALL);
      expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('not valid MCP') }] });
      expect(await entries()).toMatchObject([{ result: 'unreachable', reason: 'protocol', sent: true }]);
      await client.close();
    });
  });

  it('that has asked is not called on, nor anew under the same Idempotency-Key, once the session has ended', async () => {
    upstream.answer = () => ask();
    const client = await connect('handshake', {
      headers: { 'idempotency-key': 'once' },
      onAsked: () => tenant.delete(`/v1/sessions/${party.session}`),
    });
    const first = await client.callTool(CALL);
    expect(first).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('invalid_session') }] });
    expect(await client.callTool(CALL)).toEqual(first);
    expect(upstream.calls).toHaveLength(1);
    await client.close();
  });
});

describe('a database that fails in the middle', () => {
  const fail = async (event: string, table: string): Promise<void> => {
    await world.sql(
      `CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'it fails'; END $$`,
    );
    await world.sql(`CREATE TRIGGER fails BEFORE ${event} ON ${table} EXECUTE FUNCTION fails()`);
  };

  it('loses no entry of a call that was made, where the upstream’s health cannot be noted', async () => {
    await fail('UPDATE', 'proxy_upstream');
    await upstream.stop();
    const reply = await new BareMcp(party).call('up.trap');
    await world.sql('DROP TRIGGER fails ON proxy_upstream');
    await upstream.start();
    expect(saidBy(reply)).toMatchObject({ code: 'upstream_unreachable' });
    expect(await entries()).toMatchObject([{ result: 'unreachable', sent: false }]);
  });

  it('lets no call be made anew under its Idempotency-Key when its tool has asked already', async () => {
    upstream.answer = () => ask();
    const client = await connect('handshake', {
      headers: { 'idempotency-key': 'once' },
      onAsked: async () => {
        await tenant.post('/v1/approvals/rules', { type: 'all' });
        await fail('INSERT', 'approval_request');
      },
    });
    await expect(client.callTool(CALL)).rejects.toThrow();
    await world.sql('DROP TRIGGER fails ON approval_request');
    await expect(client.callTool(CALL)).rejects.toThrow('in progress');
    expect(upstream.calls).toHaveLength(1);
    await client.close();
  });
});

it('a role of the database that listens to what processes tell each other reads nothing of what a human said', async () => {
  const listener = new PgClient({ connectionString: world.environment['DATABASE_URL'] });
  await listener.connect();
  const heard: string[] = [];
  listener.on('notification', ({ payload = '' }) => heard.push(payload));
  await listener.query('LISTEN haldir_mcp_answered');
  const client = await connect('handshake');
  for (let i = 0; i < 6; i++) {
    let rounds = 0;
    upstream.answer = () => (rounds++ === 0 ? ask() : { content: [] });
    expect(await client.callTool(CALL)).toMatchObject({ content: [] });
  }
  await listener.query('SELECT 1');
  expect(heard.length).toBeGreaterThan(0);
  for (const payload of heard) {
    const text = Buffer.from(payload.replace(/^\d+[+.]/, ''), 'base64').toString();
    const [, inner = ''] = text.split(' ');
    expect(text + Buffer.from(inner, 'base64').toString()).not.toMatch(/Frodo|accept/);
  }
  await client.close();
  await listener.end();
});

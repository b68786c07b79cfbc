import {
  type Balancer,
  BareMcp,
  type Client,
  connectMcp,
  type RpcMessage,
  saidBy,
  startBalancer,
  startWorld,
  type World,
} from '@haldir/test-support';
import { type EchoingUpstream, FORMS, startEchoingUpstream } from './echoing-upstream.js';
import { formsOf, randomText } from '../platform/leaks/traces.js';

interface Entry {
  action: string;
  tool: string;
  details: string;
}

let world: World;
let balancer: Balancer;
let tenant: Client;
let session: string;
let upstream: EchoingUpstream;
const started: EchoingUpstream[] = [];
/** With what URLs, forms and JSON escape. */
const value = `${randomText(12)} &+/"${randomText(12)}`;

beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  balancer = await startBalancer(world.apis);
});
beforeEach(async () => {
  tenant = await world.newTenant();
  session = await tenant.session({ agent_id: 'agent', scopes: ['execute', 'pay'] });
});
afterAll(async () => {
  await Promise.all(started.map((each) => each.stop()));
  await balancer.stop();
  await world.stop();
});

async function register(version = '2025-11-25', answers: 'json' | 'sse' = 'json', by = tenant): Promise<void> {
  upstream = await startEchoingUpstream(version, answers);
  started.push(upstream);
  const { body } = await by.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
  expect(body).toMatchObject({ healthy: true, tools_discovered: 2 });
}
function store(name: string, bindings: object[], more: object = {}): Promise<unknown> {
  return tenant.post('/v1/secrets', { name, value, scope_required: 'pay', bindings, ...more });
}
const call = (args: Record<string, unknown>, tool = 'up.echo', by = session) =>
  tenant.post<{ content: { text: string }[]; code?: string }>('/v1/proxy/call', {
    ...{ tool, arguments: args, session_id: by },
  });
async function entries(action: string): Promise<Entry[]> {
  const { body } = await tenant.get<{ entries: Entry[] }>('/v1/audit?limit=1000');
  return body.entries.filter((entry) => entry.action === action);
}
/** Nothing of the value is in what was answered, in any form. */
function expectNothingIn(answer: string): void {
  const [front = '', back = ''] = value.split(' &+/"');
  for (const part of [front, back])
    for (const { form, pattern } of formsOf(part))
      expect([form, answer.includes(pattern.toString())]).toEqual([form, false]);
}

describe.each([
  ['2025-11-25', 'json'],
  ['2025-11-25', 'sse'],
  ['2026-07-28', 'json'],
  ['2026-07-28', 'sse'],
] as const)('a secret that an upstream of %s says again, as %s', (version, answers) => {
  it('is taken out of the answer in every form, over REST and over /mcp', async () => {
    await register(version, answers);
    await store('key', [{ upstream: 'up', tool: 'echo' }]);
    const agents = (['stateless', 'handshake'] as const).map(
      (revision) => new BareMcp({ url: balancer.url, key: tenant.key ?? '', session }, revision),
    );
    for (const as of Object.keys(FORMS)) {
      upstream.calls.length = 0;
      const args = { value: '{{vault:key}}', as };
      const rest = await call(args);
      const replies = await Promise.all(agents.map((agent) => agent.call('up.echo', args)));
      expect(upstream.calls.map((each) => each.arguments)).toEqual([1, 2, 3].map(() => ({ value, as })));
      for (const answer of [rest.body, ...replies.map(({ message }) => message)]) {
        const written = JSON.stringify(answer);
        expectNothingIn(written);
        if (!as.includes('cut')) expect(written).toMatch(/\[secret:key\]|W3NlY3JldDprZXld/);
      }
    }
  });
});

describe('a secret in what a tool asks before it answers', () => {
  const args = { value: '{{vault:key}}', asks: true };
  const capabilities = { elicitation: { form: {} } };
  beforeEach(async () => {
    await register('2026-07-28', 'sse');
    await store('key', [{ upstream: 'up', tool: 'echo' }]);
  });
  afterEach(() => {
    expect(upstream.calls.map((each) => each.arguments)).toEqual([1, 2].map(() => ({ value, asks: true })));
    // Who asks is told what the client was.
    expect(upstream.calls[1]?.requestState).toBe('after [secret:key]');
  });

  it('is taken out of the questions and the state that a client of 2026-07-28 is given', async () => {
    const agent = new BareMcp({ url: balancer.url, key: tenant.key ?? '', session });
    const round = async (more: object = {}): Promise<RpcMessage['result']> => {
      const params = agent.paramsOf({ name: 'up.echo', arguments: args, ...more });
      Object.assign(params['_meta'] as object, { 'io.modelcontextprotocol/clientCapabilities': capabilities });
      const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
      const { message } = await agent.send(body, agent.headersFor('tools/call', params));
      expectNothingIn(JSON.stringify(message));
      return message?.result;
    };
    const first = await round();
    expect(first).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        one: { params: { message: 'is it [secret:key]?' } },
        two: { params: { message: '[secret:key]' } },
      },
    });
    const inputResponses = { one: { action: 'accept', content: {} }, two: { action: 'accept', content: {} } };
    const second = await round({ inputResponses, requestState: first?.['requestState'] });
    expect(second?.content?.[0]?.text).toBe('you said [secret:key]!');
  });

  it('is taken out of the requests that a client of the older revisions is sent', async () => {
    const asked: string[] = [];
    const client = await connectMcp({ url: balancer.url, key: tenant.key ?? '', session }, 'handshake', {
      capabilities,
      prepare: (it) =>
        it.setRequestHandler('elicitation/create', ({ params }) => {
          expectNothingIn(JSON.stringify(params));
          asked.push(params.message);
          return { action: 'accept', content: {} };
        }),
    });
    const result = await client.callTool({ name: 'up.echo', arguments: args });
    expect(result.content).toEqual([{ type: 'text', text: 'you said [secret:key]!' }]);
    expect(asked.sort()).toEqual(['[secret:key]', 'is it [secret:key]?']);
    await client.close();
  });
});

it('is in no message of progress, also where it is divided over several', async () => {
  await register('2026-07-28', 'sse');
  await store('key', [{ upstream: 'up' }]);
  const agent = new BareMcp({ url: balancer.url, key: tenant.key ?? '', session });
  const params = { name: 'up.echo', arguments: { value: '{{vault:key}}' }, _meta: { progressToken: 'mine' } };
  const { before, message } = await agent.ask('tools/call', params);
  expect(before.map(({ params: said }) => said)).toEqual(
    [0, 1, 2].map((progress) => ({ progressToken: 'mine', progress, total: 3 })),
  );
  expect(message?.result?.content?.[0]?.text).toBe('you said [secret:key]!');
});

it('is sent at any depth of the arguments, beside other secrets and what stands around it', async () => {
  await register();
  await store('key', [{ upstream: 'up', tool: 'echo' }]);
  await tenant.post('/v1/secrets', {
    name: 'other',
    value: 'another value',
    bindings: [{ upstream: 'up' }],
    scope_required: 'execute',
  });
  const args = {
    a: { b: ['Bearer {{vault:key}}/{{vault:other}}', '{{!vault:key}}', '{{vault:key}}'] },
    '{{vault:key}}': 1,
  };
  const { status } = await call({ ...args, value: 'nothing' });
  expect(status).toBe(200);
  expect(upstream.calls[0]?.arguments).toEqual({
    ...{ a: { b: [`Bearer ${value}/another value`, '{{vault:key}}', value] }, '{{vault:key}}': 1 },
    value: 'nothing',
  });
  const used = (await entries('secret_used')).map(({ tool, details }) => ({
    tool,
    ...(JSON.parse(details) as object),
  }));
  expect(used).toHaveLength(2);
  for (const name of ['key', 'other'])
    expect(used).toContainEqual({
      ...{ tool: 'haldir.vault', name, version: 1, upstream: 'up' },
      ...{ tool: 'echo', by: expect.stringMatching(/^hld_/) },
    });
});

it('is the newest one at the moment of the call', async () => {
  await register();
  await store('key', [{ upstream: 'up' }]);
  await call({ value: '{{vault:key}}' });
  await store('key', [{ upstream: 'up' }], { value: `new ${value}` });
  await call({ value: '{{vault:key}}' });
  expect(upstream.calls.map((each) => each.arguments['value'])).toEqual([value, `new ${value}`]);
});

describe('a call with a secret that it may not use is refused without a byte to the upstream', () => {
  const NOT_USABLE = 'is not one that may be used with this tool';
  it.each([
    ['unknown', { name: 'nothing' }, NOT_USABLE],
    ['unbound', { bindings: [] }, NOT_USABLE],
    ['unbound', { bindings: [{ upstream: 'up', tool: 'other' }, { upstream: 'else' }] }, NOT_USABLE],
    ['missing_scope', { scope_required: 'admin' }, 'requires a scope that the session does not hold'],
    ['too_short', { value: '1234567' }, 'is too short to be used by reference'],
    ['too_long', { value: 'x'.repeat(8_193) }, 'is too long to be used by reference'],
  ])('%s: %j', async (reason, more, said) => {
    await register();
    await store('key', [{ upstream: 'up', tool: 'echo' }], more);
    const { status, body } = await call({ value: '{{vault:key}}' });
    expect([status, body]).toMatchObject([
      403,
      { isError: true, code: 'secret_not_usable', error: expect.stringContaining(said) },
    ]);
    const agent = new BareMcp({ url: balancer.url, key: tenant.key ?? '', session });
    const reply = await agent.call('up.echo', { value: '{{vault:key}}' });
    expect([reply.status, reply.message?.result?.isError]).toEqual([200, true]);
    expect(saidBy(reply)).toEqual(JSON.parse(body.content[0]?.text ?? ''));
    expect(upstream.calls).toEqual([]);
    const blocked = await entries('tool_call_blocked');
    expect(blocked).toHaveLength(2);
    for (const { details } of blocked)
      expect(JSON.parse(details)).toMatchObject({ secret: 'key', secret_reason: reason });
    expect(await entries('secret_used')).toEqual([]);
  });

  it('expired or deleted', async () => {
    await register();
    await store('key', [{ upstream: 'up' }], { expires_at: Date.now() / 1000 + 0.2 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await call({ value: '{{vault:key}}' })).body).toMatchObject({
      error: expect.stringContaining('has expired'),
    });
    await store('key', [{ upstream: 'up' }]);
    expect((await call({ value: '{{vault:key}}' })).status).toBe(200);
    await tenant.delete('/v1/secrets/key');
    expect((await call({ value: '{{vault:key}}' })).body).toMatchObject({ error: expect.stringContaining(NOT_USABLE) });
    expect(upstream.calls).toHaveLength(1);
  });

  it('with a binding that was widened in the database', async () => {
    await register();
    await store('key', [{ upstream: 'else' }]);
    await world.sql(`UPDATE secret_version SET bindings = '{up.*}' WHERE tenant_id = $1`, [
      await world.tenantOf(tenant),
    ]);
    const { status, body } = await call({ value: '{{vault:key}}' });
    expect([status, body]).toMatchObject([403, { error: expect.stringContaining(NOT_USABLE) }]);
    expect(upstream.calls).toEqual([]);
  });

  it('of another tenant', async () => {
    await store('key', [{ upstream: 'up' }]);
    tenant = await world.newTenant();
    session = await tenant.session({ scopes: ['admin'] });
    await register();
    expect((await call({ value: '{{vault:key}}' })).status).toBe(403);
    expect(upstream.calls).toEqual([]);
  });

  it('with what only looks like a reference, by its place', async () => {
    await register();
    await store('key', [{ upstream: 'up' }]);
    const { status, body } = await call({ list: ['{{vault:key}}', { deep: '{{ vault:key }}' }] });
    expect([status, body]).toMatchObject([
      403,
      { code: 'malformed_reference', error: expect.stringMatching(/^arguments\.list\[1\]\.deep: /) },
    ]);
    expect(upstream.calls).toEqual([]);
  });

  it('with more than a call can hold', async () => {
    await register();
    await store('key', [{ upstream: 'up' }], { value: 'x'.repeat(8_000) });
    expect((await call({ list: Array.from({ length: 140 }, () => '{{vault:key}}') })).status).toBe(403);
    const many = Array.from({ length: 17 }, (_, i) => `{{vault:key${i}}}`);
    expect((await call({ many })).body).toMatchObject({ error: expect.stringContaining('at most 16 secrets') });
    expect(upstream.calls).toEqual([]);
  });
});

it('is approved by its name: the approval is of the call with the reference', async () => {
  await register();
  await store('key', [{ upstream: 'up' }]);
  await tenant.post('/v1/approvals/rules', { type: 'all' });
  const args = { value: '{{vault:key}}' };
  const held = await call(args);
  const { request_id: id } = JSON.parse(held.body.content[0]?.text ?? '') as { request_id: string };
  const shown = JSON.stringify((await tenant.get(`/v1/approvals/${id}`)).body);
  expect(shown).toContain('{{vault:key}}');
  expectNothingIn(shown);
  await tenant.post(`/v1/approvals/${id}/approve`, {});
  expect((await call({ value })).body.content[0]?.text).toContain('approval_required');
  expect((await call(args)).body.content[0]?.text).toBe('you said [secret:key]!');
  expect(upstream.calls).toHaveLength(1);
});

it('is kept nowhere: a retry gets the masked answer', async () => {
  await register();
  await store('key', [{ upstream: 'up' }]);
  const body = { tool: 'up.echo', arguments: { value: '{{vault:key}}' }, session_id: session };
  const replies = [];
  for (let i = 0; i < 2; i++) replies.push(await tenant.post('/v1/proxy/call', body, { 'idempotency-key': 'once' }));
  expect(replies[1]?.body).toEqual(replies[0]?.body);
  expect(upstream.calls).toHaveLength(1);
  const rows = await world.sql<{ row: string }>('SELECT i::text AS row FROM idempotency i WHERE tenant_id = $1', [
    await world.tenantOf(tenant),
  ]);
  expectNothingIn(JSON.stringify(rows));
});

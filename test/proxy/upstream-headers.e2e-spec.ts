import { BareMcp, type Client, type Reply, startWorld, type World } from '@haldir/test-support';
import { type EchoingUpstream, FORMS, startEchoingUpstream } from './echoing-upstream.js';
import { formsOf, randomText } from '../platform/leaks/traces.js';

let world: World;
let tenant: Client;
let session: string;
let upstream: EchoingUpstream;
const started: EchoingUpstream[] = [];
const [front, back, plain] = [randomText(14), randomText(14), randomText(24)];
const token = `${front}/+${back}`;
/** As it is, and in base64. */
const MASKED = /\[secret:token\]|W3NlY3JldDp0b2tlbl/;

beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  tenant = await world.newTenant();
  session = await tenant.session({ agent_id: 'agent', scopes: ['execute'] });
});
afterAll(async () => {
  await Promise.all(started.map((each) => each.stop()));
  await world.stop();
});

async function start(version = '2025-11-25', answers: 'json' | 'sse' = 'json'): Promise<EchoingUpstream> {
  upstream = await startEchoingUpstream(version, answers);
  started.push(upstream);
  return upstream;
}
const store = (value = token, bindings: object[] = [{ upstream: 'up' }]): Promise<Reply> =>
  tenant.post('/v1/secrets', { name: 'token', value, bindings, scope_required: 'nobody' });
const register = (headers: unknown = { Authorization: 'Bearer {{vault:token}}', 'x-plain': plain }): Promise<Reply> =>
  tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url, headers });
const call = (args: object): Promise<Reply<{ content: { text: string }[] }>> =>
  tenant.post('/v1/proxy/call', { tool: 'up.echo', arguments: args, session_id: session });
const refresh = (): Promise<Reply> => tenant.post('/v1/proxy/upstreams/up/refresh');

function expectNothingIn(written: string, ...parts: string[]): void {
  for (const part of parts)
    for (const { form, pattern } of formsOf(part))
      expect([form, written.includes(pattern.toString())]).toEqual([form, false]);
}

describe.each([
  ['2025-11-25', 'sse'],
  ['2026-07-28', 'json'],
] as const)('headers of an upstream of %s', (version, answers) => {
  it('go with every request, and their secrets come back in no form', async () => {
    await start(version, answers);
    await store();
    const registered = await register();
    expect(registered.body).toMatchObject({ healthy: true, tools_discovered: 2 });
    const agent = new BareMcp({ url: tenant.url, key: tenant.key ?? '', session });
    for (const as of Object.keys(FORMS)) {
      const args = { header: 'authorization', as };
      const rest = await call(args);
      const mcp = await agent.call('up.echo', args);
      const written = JSON.stringify([rest.body, mcp.message]);
      expectNothingIn(written, front, back);
      if (!as.includes('cut')) expect(written).toMatch(MASKED);
    }
    expect(upstream.seen.length).toBeGreaterThan(2 * Object.keys(FORMS).length);
    for (const headers of upstream.seen)
      expect(headers).toMatchObject({ authorization: `Bearer ${token}`, 'x-plain': plain });
  });
});

describe.each([
  ['2025-11-25', 'sse'],
  ['2026-07-28', 'json'],
] as const)('what an upstream of %s offers besides tools', (version, answers) => {
  it.each(['stateless', 'handshake'] as const)(
    'shows nothing of a secret header to a client (%s)',
    async (revision) => {
      await start(version, answers);
      await store();
      await register();
      const agent = new BareMcp({ url: tenant.url, key: tenant.key ?? '', session }, revision);
      const said = async (method: string, params: Record<string, unknown> = {}): Promise<string> => {
        const { message } = await agent.ask(
          method,
          params,
          'uri' in params ? { 'mcp-name': String(params['uri']) } : {},
        );
        const written = JSON.stringify(message);
        expectNothingIn(written, front, back);
        return written;
      };
      for (const form of Object.keys(FORMS)) {
        const uri = `echo:authorization/${encodeURIComponent(form)}`;
        const read = await said('resources/read', { uri });
        const got = await said('prompts/get', { name: 'say', arguments: { header: 'authorization', as: form } });
        for (const written of [read, got])
          if (!form.includes('cut')) expect([form, written]).toEqual([form, expect.stringMatching(MASKED)]);
      }
      const argument = { name: 'header', value: 'a' };
      expect(await said('completion/complete', { ref: { type: 'ref/prompt', name: 'say' }, argument })).toMatch(MASKED);
      for (const list of ['resources/list', 'resources/templates/list', 'prompts/list'])
        expect(await said(list)).toMatch(MASKED);
      const rows = await world.sql('SELECT o::text AS row FROM proxy_offering o WHERE tenant_id = $1', [
        await world.tenantOf(tenant),
      ]);
      expectNothingIn(JSON.stringify(rows), front, back);
    },
  );
});

it('that hold their values literally come back in no answer either', async () => {
  await start();
  await register({ authorization: `Bearer ${token}`, 'x-plain': plain });
  for (const header of ['authorization', 'x-plain']) {
    const { body } = await call({ header, as: 'base64' });
    expectNothingIn(JSON.stringify(body), front, back, plain);
    expect(JSON.stringify([body, (await call({ header })).body])).toContain(`[secret:header ${header}]`);
  }
  const { body } = await call({ value: `of a debugger: ${token}` });
  expectNothingIn(JSON.stringify(body), front, back);
});

it('are not shown again, and lie sealed in the database', async () => {
  await start();
  await store();
  await register();
  const listed = await tenant.get<{ upstreams: Record<string, { headers: object }> }>('/v1/proxy/upstreams');
  expect(listed.body.upstreams['up']?.headers).toEqual({ Authorization: '{{vault:token}}', 'x-plain': '***' });
  const audit = await tenant.get('/v1/audit?limit=1000');
  const rows = await world.sql<{ row: string }>('SELECT u::text AS row FROM proxy_upstream u WHERE tenant_id = $1', [
    await world.tenantOf(tenant),
  ]);
  expectNothingIn(JSON.stringify([listed.body, audit.body, rows]), front, back, plain);
});

it('take the value of the moment, and each version is in the log once', async () => {
  await start();
  await store();
  await register({ authorization: '{{vault:token}}' });
  await call({});
  await store(`newer-${token}`);
  upstream.refuses = ({ authorization }) => authorization !== `newer-${token}`;
  expect((await call({})).status).toBe(200);
  expect((await refresh()).body['healthy']).toBe(true);
  const { body } = await tenant.get<{ entries: { action: string; details: string }[] }>('/v1/audit?limit=1000');
  const used = body.entries
    .filter(({ action }) => action === 'secret_used')
    .map(({ details }) => JSON.parse(details) as object);
  expect(used.reverse()).toEqual(
    [1, 2].map((v) => ({ name: 'token', version: v, upstream: 'up', by: 'upstream_headers' })),
  );
  upstream.refuses = () => true;
  expect((await refresh()).body).toMatchObject({ healthy: false, error: expect.stringContaining('authorization') });
});

it.each([
  ['is not there', []],
  ['is bound to nothing', [[]]],
  ['is bound to one tool only', [[{ upstream: 'up', tool: 'echo' }]]],
  ['is bound to another upstream', [[{ upstream: 'else' }]]],
])('whose secret %s are a finding, and nothing is sent', async (_, bindings) => {
  await start();
  for (const bound of bindings) await store(token, bound);
  const { status, body } = await register();
  expect([status, body]).toMatchObject([201, { healthy: false, error: expect.stringContaining('secret') }]);
  expect(upstream.seen).toEqual([]);
  await store();
  expect((await refresh()).body).toMatchObject({ healthy: true });
  expect((await call({})).status).toBe(200);
});

it('go to no address that was put in place of theirs in the database', async () => {
  await start();
  await store();
  await register();
  const other = await startEchoingUpstream('2025-11-25', 'json');
  started.push(other);
  await world.sql('UPDATE proxy_upstream SET url = $2 WHERE tenant_id = $1', [await world.tenantOf(tenant), other.url]);
  expect((await call({})).status).toBe(502);
  expect((await refresh()).body).toMatchObject({ healthy: false });
  expect(other.seen).toEqual([]);
});

it('are those of the last registration', async () => {
  await start();
  await store();
  await register();
  await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
  await call({});
  expect(upstream.calls.at(-1)?.headers).not.toHaveProperty('authorization');
});

it.each([
  ['a text'],
  [{ host: 'a' }],
  [{ 'Content-Type': 'a' }],
  [{ 'mcp-session-id': 'a' }],
  [{ connection: 'a' }],
  [{ 'a b': 'a' }],
  [{ '': 'a' }],
  [{ a: 'b', A: 'c' }],
  [{ a: '' }],
  [{ a: 'b\nc' }],
  [{ a: 'ü' }],
  [{ a: 7 }],
  [{ a: '{{vault:' }],
  [{ a: '{{ vault:token }}' }],
  [Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, 'b']))],
])('are not %j', async (headers) => {
  await start();
  const { status, body } = await register(headers);
  expect([status, body['error']]).toEqual([400, expect.stringMatching(/^headers/)]);
  expect(upstream.seen).toEqual([]);
});

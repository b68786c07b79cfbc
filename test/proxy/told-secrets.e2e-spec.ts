import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { BareMcp, type Client, eventually, type Reply, startApi, startWorld, type World } from '@haldir/test-support';
import { randomText } from '../platform/leaks/traces.js';
import { type RememberingUpstream, startRememberingUpstream } from './remembering-upstream.js';

interface Entry {
  action: string;
  tool: string;
  flagged: boolean;
  flag_reason: string | null;
}

let world: World;
let upstream: RememberingUpstream;
let tenant: Client;
let there: Client;
/** Of two agents: what one has sent, the other must not hear. */
let sender: string;
let hearer: string;
let value: string;
const tokens: string[] = [];
let tokenServer: Server;

beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  tokenServer = createServer((_, response) => {
    tokens.push(randomText(30));
    const body = { access_token: tokens.at(-1), token_type: 'Bearer', expires_in: 3600 };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => tokenServer.listen(0, '127.0.0.1', resolve));
});
beforeEach(async () => {
  upstream = await startRememberingUpstream();
  tenant = await world.newTenant();
  const [, second] = world.apis;
  if (!second) throw new Error('two processes were started');
  there = tenant.at(second);
  sender = await tenant.session({ agent_id: 'sender', scopes: ['execute'] });
  hearer = await tenant.session({ agent_id: 'hearer', scopes: ['read'] });
  value = randomText(24);
  tokens.length = 0;
});
afterEach(() => upstream.stop());
afterAll(async () => {
  await world.stop();
  tokenServer.closeAllConnections();
  await new Promise((resolve) => tokenServer.close(resolve));
});

type Answer = Reply<{ content: { text: string }[]; error?: string; code?: string }>;
async function register(more: object = {}): Promise<Reply> {
  const reply = await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url, ...more });
  expect(reply.status).toBe(201);
  return reply;
}
const store = (name = 'k', text = value, bindings: object[] | null = [{ upstream: 'up' }]): Promise<Reply> =>
  tenant.post('/v1/secrets', { name, value: text, scope_required: 'execute', bindings });
const call = (tool: string, args: object = {}, by = hearer, at = tenant): Promise<Answer> =>
  at.post('/v1/proxy/call', { tool: `up.${tool}`, arguments: args, session_id: by });
const remember = (name = 'k'): Promise<Answer> => call('remember', { v: `{{vault:${name}}}` }, sender);
const saidIn = ({ body }: Answer): string | undefined => body.content[0]?.text;
async function entryOf(tool: string): Promise<Entry | undefined> {
  const { body } = await tenant.get<{ entries: Entry[] }>('/v1/audit?limit=1000');
  return body.entries.find((entry) => entry.tool === `up.${tool}` && entry.action !== 'tool_call_blocked');
}

describe('a secret that an upstream remembers', () => {
  beforeEach(async () => {
    await register();
    await store();
    expect((await remember()).status).toBe(200);
    expect(upstream.memory).toBe(value);
  });

  it('is masked in what it answers to another session, on every process, and after a restart', async () => {
    expect(saidIn(await call('recall'))).toBe('it was [secret:k]');
    expect(saidIn(await call('recall', {}, hearer, there))).toBe('it was [secret:k]');
    const fresh = await startApi(world.environment);
    expect(saidIn(await call('recall', {}, hearer, tenant.at(fresh)))).toBe('it was [secret:k]');
    await fresh.stop();
  });

  it('is masked in everything else that it says: errors, progress, resources, prompts, lists', async () => {
    upstream.describes = true;
    await register();
    for (const revision of ['stateless', 'handshake'] as const) {
      const agent = new BareMcp({ url: there.url, key: tenant.key ?? '', session: hearer }, revision);
      const asked = [
        ['tools/call', { name: 'up.recall', arguments: {} }],
        ['tools/call', { name: 'up.fail', arguments: {} }],
        ['tools/call', { name: 'up.report', arguments: {}, _meta: { progressToken: 'mine' } }],
        ['resources/read', { uri: 'memory:it' }],
        ['prompts/get', { name: 'say' }],
        ['tools/list', {}],
      ] as const;
      const said: string[] = [];
      for (const [method, params] of asked) {
        const { before, message } = await agent.ask(method, params, 'uri' in params ? { 'mcp-name': params.uri } : {});
        said.push(JSON.stringify([before, message]));
      }
      for (const [i, each] of said.entries()) {
        expect([asked[i]?.[0], each.includes(value)]).toEqual([asked[i]?.[0], false]);
        expect([asked[i], each.includes('[secret:k]')]).toEqual([asked[i], true]);
      }
    }
    const { body } = await tenant.get('/v1/proxy/tools');
    expect(JSON.stringify(body)).not.toContain(value);
  });

  it('is masked when it was overwritten or deleted since', async () => {
    await store('k', `another ${value.slice(0, 8)}`, []);
    expect(saidIn(await call('recall'))).toBe('it was [secret:k]');
    await tenant.delete('/v1/secrets/k');
    expect(saidIn(await call('recall', {}, hearer, there))).toBe('it was [secret:k]');
  });

  it('is masked when the upstream was registered anew, and is forgotten with the upstream', async () => {
    await register({ prefix: false });
    expect(saidIn(await call('recall'))).toBe('it was [secret:k]');
    await tenant.delete('/v1/proxy/upstreams/up');
    await tenant.delete('/v1/secrets/k');
    const [left] = await world.sql<{ told: number }>(
      'SELECT count(*)::integer AS told FROM upstream_told WHERE tenant_id = $1',
      [await world.tenantOf(tenant)],
    );
    expect(left).toEqual({ told: 0 });
  });

  it('is of no concern to another tenant', async () => {
    const said = upstream.memory;
    tenant = await world.newTenant();
    hearer = await tenant.session({ scopes: ['execute'] });
    await register();
    expect(saidIn(await call('recall'))).toBe(`it was ${said}`);
  });
});

describe('the entry of a call', () => {
  const reason = expect.stringMatching(/^secret_masked: .*masked/);
  beforeEach(async () => {
    await register();
    await store();
  });

  it('that used no secret and in whose answer one was masked is flagged, with the reason', async () => {
    await remember();
    await call('recall');
    await call('same', { guess: `is it ${value}?` });
    expect(await entryOf('remember')).toMatchObject({ flagged: false, flag_reason: null });
    expect(await entryOf('recall')).toMatchObject({ flagged: true, flag_reason: reason });
    expect(await entryOf('same')).toMatchObject({ flagged: true, flag_reason: reason });
    await call('same', { guess: 'is it another?' });
    expect(await entryOf('same')).toMatchObject({ flagged: false, flag_reason: null });
  });

  it('that used the secret that was masked is not', async () => {
    const { body } = await call('same', { guess: '{{vault:k}}' }, sender);
    expect(body.content[0]?.text).toBe('[secret:k]');
    expect(await entryOf('same')).toMatchObject({ flagged: false, flag_reason: null });
  });

  it('is flagged for a read of a resource or a prompt, too', async () => {
    await remember();
    const agent = new BareMcp({ url: tenant.url, key: tenant.key ?? '', session: hearer });
    await agent.ask('resources/read', { uri: 'memory:it' }, { 'mcp-name': 'memory:it' });
    await agent.ask('prompts/get', { name: 'say' });
    expect(await entryOf('memory:it')).toMatchObject({ action: 'resource_read', flagged: true, flag_reason: reason });
    expect(await entryOf('say')).toMatchObject({ action: 'prompt_get', flagged: true, flag_reason: reason });
  });
});

it('a secret is masked from when it is bound, used or not, and in an answer that was begun before', async () => {
  await register();
  const [here, elsewhere] = [call('await'), call('await', {}, hearer, there)];
  await eventually(() => expect(upstream.waiting).toBe(2));
  await store();
  expect(saidIn(await call('same', { guess: value }, hearer, there))).toBe('[secret:k]');
  await remember();
  expect(saidIn(await here)).toBe('it is [secret:k]');
  expect(saidIn(await elsewhere)).toBe('it is [secret:k]');
});

it('what was bound before Haldir took note of it is masked, too', async () => {
  await register();
  await store();
  const tenantId = await world.tenantOf(tenant);
  await world.sql('DELETE FROM upstream_told WHERE tenant_id = $1', [tenantId]);
  await world.sql('DELETE FROM upstream_told_head WHERE tenant_id = $1', [tenantId]);
  const fresh = await startApi(world.environment);
  upstream.memory = value;
  expect(saidIn(await call('recall', {}, hearer, tenant.at(fresh)))).toBe('it was [secret:k]');
  await fresh.stop();
});

it('a secret that is brought back is masked also by an upstream that was removed and registered meanwhile', async () => {
  await register();
  await store();
  await tenant.delete('/v1/secrets/k');
  await tenant.delete('/v1/proxy/upstreams/up');
  await register();
  expect(saidIn(await call('same', { guess: value }, hearer, there))).toBe(value);
  const { body } = await tenant.get<{ deleted: { secret_id: string }[] }>('/v1/deleted-secrets');
  const restored = await tenant.post(`/v1/deleted-secrets/${body.deleted[0]?.secret_id}/restore`);
  expect(restored.status).toBe(200);
  for (const at of [tenant, there]) expect(saidIn(await call('same', { guess: value }, hearer, at))).toBe('[secret:k]');
});

describe('what else an upstream was sent', () => {
  const auth = (): object => ({
    type: 'client_credentials',
    token_url: `http://127.0.0.1:${(tokenServer.address() as AddressInfo).port}/token`,
    client_id: 'haldir',
    client_secret: 'the secret of the client',
  });

  it('is masked after it was registered with other headers, on every process', async () => {
    const former = randomText(24);
    await register({ headers: { authorization: `Bearer ${former}` } });
    await register({ headers: { authorization: `Bearer ${value}` } });
    expect(upstream.authorizations).toEqual([`Bearer ${former}`, `Bearer ${value}`]);
    for (const at of [tenant, there]) {
      expect(saidIn(await call('authorization', { nth: 0 }, hearer, at))).toBe('it was [secret:header authorization]');
      expect(saidIn(await call('same', { guess: `.${former}.` }, hearer, at))).toBe('.[secret:header authorization].');
    }
  });

  it('is masked when it is a token of another process, or one from before a renewal or a restart', async () => {
    await register({ auth: auth() });
    await call('recall', {}, hearer, there);
    // The first process renews its token; a third one gets its own.
    upstream.refuses = ({ authorization }) => authorization === `Bearer ${tokens[0]}`;
    await call('recall');
    const fresh = await startApi(world.environment);
    await call('recall', {}, hearer, tenant.at(fresh));
    expect(upstream.authorizations.length).toBeGreaterThanOrEqual(4);
    for (const nth of upstream.authorizations.keys()) {
      for (const at of [tenant, there, tenant.at(fresh)])
        expect(saidIn(await call('authorization', { nth }, hearer, at))).toBe('it was Bearer [secret:access token]');
    }
    await fresh.stop();
  });
});

describe('an upstream that was told as much as can be masked', () => {
  /** As many values as there may be, in place of storing them one by one. */
  const fill = async (told: number, bytes: number): Promise<void> => {
    await world.sql('UPDATE upstream_told_head SET told = $2, bytes = $3 WHERE tenant_id = $1', [
      await world.tenantOf(tenant),
      told,
      bytes,
    ]);
  };

  it('is bound to no 257th value: a 400 that names the member, also under a race', async () => {
    await register();
    // Each is a version of one of a few secrets.
    for (let i = 0; i < 31; i++)
      await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          store(`k${n}`, `${value} ${i} ${n}`).then(({ status }) => expect(status).toBe(201)),
        ),
      );
    const racing = await Promise.all(Array.from({ length: 16 }, (_, n) => store(`r${n}`, `${value} raced ${n}`)));
    expect(racing.filter(({ status }) => status === 201)).toHaveLength(8);
    const refused = racing.filter(({ status }) => status !== 201);
    for (const { status, body } of refused)
      expect([status, body['error']]).toEqual([400, expect.stringMatching(/^bindings: .*"up".*256 values/)]);
    // What it was told before may be stored and used as before.
    expect((await store('again', `${value} 0 0`)).status).toBe(201);
    expect((await call('same', { guess: '{{vault:k0}}' }, sender)).body.content[0]?.text).toBe('[secret:k0]');
    expect(saidIn(await call('same', { guess: `${value} 3 3` }))).toBe('[secret:k3]');
  }, 120_000);

  it('nor to more than 1 MiB', async () => {
    await register();
    await store();
    await fill(1, 1_024 * 1_024 - 100);
    expect((await store('short', 'x'.repeat(100))).status).toBe(201);
    const { status, body } = await store('more', 'eight ch');
    expect([status, body['error']]).toEqual([400, expect.stringMatching(/^bindings: .*1 MiB/)]);
  });

  it('is sent no value that is not noted: the call is refused and says what to do', async () => {
    await register();
    await store();
    const tenantId = await world.tenantOf(tenant);
    await world.sql('DELETE FROM upstream_told WHERE tenant_id = $1', [tenantId]);
    await fill(256, 1_000);
    // A process that has looked already when this was done by hand.
    const fresh = await startApi(world.environment);
    const { status, body } = await call('remember', { v: '{{vault:k}}' }, sender, tenant.at(fresh));
    expect([status, body]).toMatchObject([
      403,
      { code: 'secret_not_usable', error: expect.stringMatching(/"up" has been told.*register it again/) },
    ]);
    expect(upstream.memory).toBe('nothing yet');
    await fresh.stop();
  });

  it('is given no new header that could not be masked', async () => {
    await register();
    await store();
    await fill(256, 1_000);
    const { status, body } = await tenant.post('/v1/proxy/upstreams', {
      ...{ name: 'up', url: upstream.url, headers: { authorization: `Bearer ${value}` } },
    });
    expect([status, body['error']]).toEqual([400, expect.stringMatching(/^headers: /)]);
    expect(upstream.authorizations).toEqual([]);
  });

  it('gives up what has expired for what has not', async () => {
    await register({
      auth: {
        type: 'client_credentials',
        token_url: `http://127.0.0.1:${(tokenServer.address() as AddressInfo).port}/token`,
        client_id: 'haldir',
        client_secret: 'short',
      },
    });
    const tenantId = await world.tenantOf(tenant);
    await world.sql(`UPDATE upstream_told SET expires_at = now() - interval '1 minute' WHERE tenant_id = $1`, [
      tenantId,
    ]);
    await fill(256, 1_000);
    expect((await store()).status).toBe(201);
    expect((await store('other', `other ${value}`)).status).toBe(400);
  });
});

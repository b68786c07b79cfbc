import {
  BareMcp,
  Client,
  eventually,
  type Reply,
  sharedWorld,
  startFakeUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';
import { ApiDocument, type Operation, pathOf } from '../contract/api-document.js';

const INSTANCE = 'instance0of0the0test';

let world: World;
let tenant: Client;
beforeAll(async () => {
  world = await sharedWorld();
  tenant = await world.newTenant();
});

interface Made {
  key: string;
  prefix: string;
}

async function connectorKey(upstream: string, secrets: string[] = [], of = tenant): Promise<Client> {
  const { status, body } = await of.post<Made>('/v1/keys', { connector: { upstream, secrets } });
  if (status !== 201) throw new Error(`no connector key: ${status} ${JSON.stringify(body)}`);
  return new Client(of.url, body.key);
}

const hold = (key: Client, name: string, instance = INSTANCE): Promise<Reply> =>
  key.put(`/v1/connectors/${name}/lease`, { instance });

const connectors = ({ tags }: Operation): boolean => tags.includes('connectors');

/** The operations of connectors about an upstream, with bodies that they take. */
type Ask = [method: string, path: string, body: object];
const asksOf = (name: string): Ask[] => [
  ['PUT', `/v1/connectors/${name}/lease`, { instance: INSTANCE }],
  ['POST', `/v1/connectors/${name}/exchanges/claim`, { instance: INSTANCE, wait_seconds: 0 }],
  [
    'POST',
    `/v1/connectors/${name}/exchanges/answers`,
    { instance: INSTANCE, parts: [{ id: 'x', seq: 0, status: 200, last: true }] },
  ],
  ['POST', `/v1/connectors/${name}/secrets`, { names: ['none'] }],
  ['DELETE', `/v1/connectors/${name}/lease`, { instance: INSTANCE }],
];

describe('a connector key', () => {
  it('may do nothing but what connectors do: no other operation, no tool of /mcp', async () => {
    const key = await connectorKey('walked');
    const served = await ApiDocument.servedBy(tenant);
    const others = served.operations.filter((one) => (one.secured || one.id === 'createApiKey') && !connectors(one));
    expect(others.length).toBeGreaterThan(60);
    for (const operation of others) {
      const path = pathOf(operation, Object.fromEntries(operation.parameters.map(({ name }) => [name, '1'])));
      const { status, body } = await key.send(operation.method, path, operation.body ? {} : undefined);
      expect([operation.id, status, body['code']]).toEqual([operation.id, 403, 'connector_key_not_allowed']);
    }
    for (const session of [undefined, await tenant.session({ scopes: ['admin'] })]) {
      const { status } = await new BareMcp({ url: key.url, key: key.key ?? '', session }).ask('tools/list');
      expect(status).toBe(403);
    }
  });

  it('is for one upstream, and says so of any other; nobody else’s key does what connectors do', async () => {
    const key = await connectorKey('one');
    const { body } = await tenant.post<Made>('/v1/keys', {
      agent: { agent_id: 'a', scopes: ['admin'], ttl: 600, spend_limit: 0 },
    });
    for (const [method, path, sent] of asksOf('other')) {
      expect(await key.send(method, path, sent)).toMatchObject({
        status: 403,
        body: { code: 'other_upstream', upstream: 'one', error: expect.stringContaining('"one"') as string },
      });
      expect(await tenant.send(method, path, sent)).toMatchObject({
        status: 403,
        body: { code: 'connector_key_needed' },
      });
      expect(await new Client(tenant.url, body.key).send(method, path, sent)).toMatchObject({
        status: 403,
        body: { code: 'agent_key_not_allowed' },
      });
    }
    const { body: listed } = await tenant.get<{ upstreams: object }>('/v1/proxy/upstreams');
    expect(listed.upstreams).not.toHaveProperty('other');
  });

  it('of another tenant stands for an upstream of that one alone, also where both have the name', async () => {
    const stranger = await world.newTenant();
    const [own, theirs] = [await connectorKey('same'), await connectorKey('same', [], stranger)];
    expect((await hold(own, 'same')).status).toBe(200);
    const claim = (key: Client): Promise<Reply> =>
      key.post('/v1/connectors/same/exchanges/claim', { instance: INSTANCE, wait_seconds: 0 });
    expect((await claim(own)).status).toBe(200);
    expect(await claim(theirs)).toMatchObject({ status: 409, body: { code: 'lease_lost' } });
    expect((await stranger.get('/v1/proxy/upstreams')).body).toMatchObject({ upstreams: {} });
  });

  it('is listed as what it is, rotated and revoked; a claim that waits ends with it', async () => {
    const made = await tenant.post<Made>('/v1/keys', { name: 'c', connector: { upstream: 'kept', secrets: ['s'] } });
    expect(made.body).toMatchObject({ scopes: [], connector: { upstream: 'kept', secrets: ['s'] } });
    const key = new Client(tenant.url, made.body.key);
    expect((await hold(key, 'kept')).status).toBe(200);
    const list = await tenant.get<{ keys: object[] }>(`/v1/keys?kind=connector&prefix=${made.body.prefix}`);
    expect(list.body.keys).toMatchObject([{ agent: null, connector: { upstream: 'kept', secrets: ['s'] } }]);
    const rotated = await tenant.post<Made>(`/v1/keys/${made.body.prefix}/rotate`, { overlap_seconds: 0 });
    expect(rotated.body).toMatchObject({ connector: { upstream: 'kept', secrets: ['s'] } });
    expect((await hold(key, 'kept')).status).toBe(401);
    const fresh = new Client(tenant.url, rotated.body.key);
    expect((await hold(fresh, 'kept')).status).toBe(200);
    const ended = (async (): Promise<number> => {
      for (;;) {
        const { status } = await fresh.post('/v1/connectors/kept/exchanges/claim', { instance: INSTANCE });
        if (status !== 200) return status;
      }
    })();
    await eventually(async () => {
      const metrics = await Promise.all(world.apis.map(({ url }) => fetch(`${url}/metrics`).then((r) => r.text())));
      expect(metrics.join('\n')).toMatch(/haldir_connector_claims_waiting\{[^}]*\} [1-9]/);
    });
    await tenant.delete(`/v1/keys/${rotated.body.prefix}`);
    // Would be given to whoever has waited since before.
    const asked = tenant.post('/v1/proxy/upstreams/kept/refresh');
    expect(await ended).toBe(401);
    await world.sql(`UPDATE connector_lease SET ends_at = now() - interval '1 second' WHERE key_id = $1`, [
      rotated.body.prefix.slice(4),
    ]);
    await asked;
  });

  it.each([
    [{ connector: { upstream: 'a b' } }, 'connector.upstream'],
    [{ connector: {} }, 'connector.upstream'],
    [{ connector: { upstream: 'a', secrets: ['x', 'x'] } }, 'connector.secrets'],
    [{ connector: { upstream: 'a' }, scopes: ['proxy:read'] }, 'scopes'],
    [{ connector: { upstream: 'a' }, agent: { agent_id: 'a', scopes: ['read'], ttl: 60, spend_limit: 0 } }, 'agent'],
  ])('is not made of %j', async (body, field) => {
    expect(await tenant.post('/v1/keys', body)).toMatchObject({ status: 400, body: { field } });
  });

  it('passes on no upstream that whoever makes it may not register, and no secrets that they may not read', async () => {
    const made = async (scopes: string[], secrets: string[]): Promise<Reply> => {
      const { body } = await tenant.post<Made>('/v1/keys', { scopes, tier: 'enterprise' });
      return new Client(tenant.url, body.key).post('/v1/keys', { connector: { upstream: 'a', secrets } });
    };
    const beyond = { status: 403, body: { code: 'scope_not_held' } };
    expect(await made(['admin:write'], [])).toMatchObject(beyond);
    expect(await made(['admin:write', 'proxy:write'], ['s'])).toMatchObject(beyond);
    expect((await made(['admin:write', 'proxy:write'], [])).status).toBe(201);
    expect((await made(['admin:write', 'proxy:write', 'vault:read'], ['s'])).status).toBe(201);
  });
});

it('what a connector asks beyond the calls that it carries counts against its limit: secrets, coming anew, and what is refused', async () => {
  const limited = await startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=30' } });
  try {
    const free = await limited.newTenant({ tier: 'free' });
    const key = await connectorKey('counted', [], free);
    expect((await hold(key, 'counted')).status).toBe(200);
    const [, claim, answer, secrets] = asksOf('counted') as [Ask, Ask, Ask, Ask];
    const asks: Ask[] = [
      secrets,
      ['GET', '/v1/keys', {}],
      ['DELETE', '/v1/connectors/another/lease', { instance: INSTANCE }],
    ];
    const ask = (i: number): Promise<Reply> => {
      const [method, path, body] = asks[i % 3] as Ask;
      return key.send(method, path, method === 'GET' ? undefined : body);
    };
    const statuses: number[] = [];
    for (let i = 0; i < 36; i++) statuses.push((await ask(i)).status);
    expect([statuses.indexOf(429) > 20, statuses.slice(-6)]).toEqual([true, [429, 429, 429, 429, 429, 429]]);
    // Calls go on, and so does whoever stands for the upstream.
    for (const [method, path, sent] of [claim, answer])
      expect([path, (await key.send(method, path, sent)).status]).toEqual([path, 200]);
    expect((await hold(key, 'counted')).status).toBe(200);
    expect((await hold(key, 'counted', 'another0instance0of0it')).status).toBe(429);
    // Also when it comes late, as after a night; not when it goes to come again.
    await limited.sql('UPDATE connector_lease SET ends_at = now()');
    expect((await hold(key, 'counted')).status).toBe(200);
    expect((await key.send('DELETE', '/v1/connectors/counted/lease', { instance: INSTANCE })).status).toBe(429);
  } finally {
    await limited.stop();
  }
  // A world of its own has to start.
}, 240_000);

it.each([
  `UPDATE api_key SET connector_upstream = 'theirs' WHERE public_id = $1`,
  `UPDATE api_key SET connector_secrets = '{all}' WHERE public_id = $1`,
  `UPDATE api_key SET connector_upstream = NULL, connector_secrets = NULL, kind = 'key', scopes = '{*}' WHERE public_id = $1`,
])('a connector key whose row is edited opens nothing: %s', async (statement) => {
  const key = await connectorKey('edited');
  expect((await hold(key, 'edited')).status).toBe(200);
  await world.sql(statement, [key.key?.slice(4, 14)]);
  expect((await hold(key, 'edited')).status).toBe(401);
  expect((await key.get('/v1/keys')).status).toBe(401);
});

describe('secrets of a connector', () => {
  it('are told where the key was given them, and recorded; of others it is not said whether they are there', async () => {
    await tenant.post('/v1/secrets', { name: 'token', value: 'correct horse battery' });
    await tenant.post('/v1/secrets', { name: 'hidden', value: 'not for connectors' });
    const key = await connectorKey('telling', ['token', 'later']);
    const ask = (names: string[]): Promise<Reply> => key.post('/v1/connectors/telling/secrets', { names });
    expect(await ask(['token'])).toMatchObject({ status: 200, body: { values: { token: 'correct horse battery' } } });
    const [there, nowhere] = [await ask(['token', 'hidden']), await ask(['token', 'nowhere'])];
    expect(there).toMatchObject({
      status: 403,
      body: { code: 'secret_not_allowed', error: expect.stringMatching(/^names\[1\]: /) },
    });
    expect({ ...nowhere.body, request_id: there.body['request_id'] }).toEqual(there.body);
    expect(await ask(['later'])).toMatchObject({
      status: 422,
      body: { code: 'secret_unusable', name: 'later', reason: 'unknown' },
    });
    const { body } = await tenant.get<{ entries: { details: string }[] }>('/v1/audit?action=secret_used&limit=10');
    expect(body.entries.map(({ details }) => JSON.parse(details) as object)).toEqual([
      expect.objectContaining({ name: 'token', version: 1, upstream: 'telling' }),
    ]);
  });
});

describe('the upstream of a connector', () => {
  it('is none that has a URL of its own, and is not registered by hand', async () => {
    const upstream = await startFakeUpstream('echo');
    await tenant.post('/v1/proxy/upstreams', { name: 'owned', url: upstream.url });
    const key = await connectorKey('owned');
    expect(await hold(key, 'owned')).toMatchObject({ status: 409, body: { code: 'upstream_exists' } });
    const { body } = await tenant.get('/v1/proxy/upstreams?name_contains=owned');
    expect(body).toMatchObject({ upstreams: { owned: { url: upstream.url, healthy: true } } });
    await upstream.stop();
    expect(await tenant.post('/v1/proxy/upstreams', { name: 'fs', url: 'connector:fs' })).toMatchObject({
      status: 400,
      body: { field: 'url', error: expect.stringContaining('haldir connect') as string },
    });
  });

  it('that was removed while its connector was there comes back with another start of it', async () => {
    const key = await connectorKey('gone');
    expect((await hold(key, 'gone')).status).toBe(200);
    expect((await tenant.delete('/v1/proxy/upstreams/gone')).status).toBe(200);
    expect(await hold(key, 'gone')).toMatchObject({ status: 409, body: { code: 'upstream_removed' } });
    expect((await hold(key, 'gone', 'another0instance0of0it')).status).toBe(200);
  });

  it('that was removed while its connector was away does not come back with it either, nor when others have registered it anew', async () => {
    const key = await connectorKey('slept');
    const [asleep, other] = ['instance0that0sleeps', 'instance0that0is0awake'];
    expect((await hold(key, 'slept', asleep)).status).toBe(200);
    await world.sql(`UPDATE connector_lease SET ends_at = now() - interval '3 days' WHERE instance = $1`, [asleep]);
    expect((await hold(key, 'slept', asleep)).status).toBe(200);
    await world.sql(`UPDATE connector_lease SET ends_at = now() - interval '3 days' WHERE instance = $1`, [asleep]);
    expect((await tenant.delete('/v1/proxy/upstreams/slept')).status).toBe(200);
    const removed = { status: 409, body: { code: 'upstream_removed' } };
    expect(await hold(key, 'slept', asleep)).toMatchObject(removed);
    expect((await hold(key, 'slept', other)).status).toBe(200);
    expect(await hold(key, 'slept', asleep)).toMatchObject(removed);
    expect((await hold(key, 'slept', other)).status).toBe(200);
    // Also of one that never let go of its lease.
    expect((await tenant.delete('/v1/proxy/upstreams/slept')).status).toBe(200);
    expect((await hold(key, 'slept', 'instance0that0comes0new')).status).toBe(200);
    expect(await hold(key, 'slept', other)).toMatchObject(removed);
  });

  it('is changed where that makes sense', async () => {
    const key = await connectorKey('changed');
    await hold(key, 'changed');
    expect(await tenant.patch('/v1/proxy/upstreams/changed', { timeout: 5, prefix: false })).toMatchObject({
      status: 200,
      body: { timeout: 5, prefix: false },
    });
  });
});

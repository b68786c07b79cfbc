import { setTimeout as pause } from 'node:timers/promises';
import { Client, eventually, startWorker, startWorld, type World } from '@haldir/test-support';

let world: World;
let owner: Client;
beforeAll(async () => {
  world = await startWorld();
  owner = await world.newTenant();
});
afterAll(() => world.stop());

interface Made {
  key: string;
  prefix: string;
  principal: string;
  replaced_until: number;
}

describe('a key that is rotated', () => {
  it('goes on as the same principal under its new secret, and the old one is good until the overlap ends', async () => {
    const { body: old } = await owner.post<Made>('/v1/keys', { scopes: ['sessions:*'] });
    const before = new Client(owner.url, old.key);
    const under = { 'idempotency-key': 'open' };
    const opened = await before.post('/v1/sessions', { agent_id: 'a' }, under);

    const { status, body: fresh } = await owner.post<Made>(`/v1/keys/${old.prefix}/rotate`, { overlap_seconds: 2 });
    expect([status, fresh.principal]).toEqual([201, old.prefix]);
    const after = new Client(owner.url, fresh.key);
    expect((await after.post('/v1/sessions', { agent_id: 'a' }, under)).body).toEqual(opened.body);
    expect((await before.get('/v1/sessions')).status).toBe(200);
    await pause(2100);
    expect((await before.get('/v1/sessions')).status).toBe(401);
    expect((await after.get('/v1/sessions')).status).toBe(200);
    expect((await owner.post(`/v1/keys/${old.prefix}/rotate`)).status).toBe(404);
  });

  it('hands nobody a secret with scopes that they lack', async () => {
    const { body: minter } = await owner.post<Made>('/v1/keys', { scopes: ['admin:write', 'audit:read'] });
    const narrow = new Client(owner.url, minter.key);
    const refused = await narrow.post(`/v1/keys/${owner.key?.slice(0, 14)}/rotate`);
    expect([refused.status, refused.body['key']]).toEqual([403, undefined]);
    expect((await narrow.post(`/v1/keys/${minter.prefix}/rotate`)).status).toBe(201);
    expect((await (await world.newTenant()).post(`/v1/keys/${minter.prefix}/rotate`)).status).toBe(404);
  });
});

it('a key is refused from its end on, and is given none that has passed', async () => {
  const at = Date.now() / 1000 + 2;
  const { body } = await owner.post<Made>('/v1/keys', { expires_at: at });
  const key = new Client(owner.url, body.key);
  expect((await key.get('/v1/sessions')).status).toBe(200);
  await pause(2100);
  expect((await key.get('/v1/sessions')).status).toBe(401);
  expect((await owner.post('/v1/keys', { expires_at: at - 3600 })).status).toBe(400);
});

it('a key that ends within a week is told of once, however many workers look, and one made for less is not', async () => {
  const tenant = await world.newTenant();
  await tenant.post('/v1/webhooks', {
    url: 'https://receiver.test/',
    events: ['key_expiring'],
  });
  const day = 24 * 3600;
  const at = Date.now() / 1000 + 8 * day;
  const agent = { agent_id: 'bot', scopes: ['read'], ttl: 60, spend_limit: 0 };
  const { body: soon } = await tenant.post<Made>('/v1/keys', { name: 'soon', expires_at: at, agent });
  await tenant.post('/v1/keys', { name: 'short', expires_at: Date.now() / 1000 + 3 * day });
  await tenant.post('/v1/keys', { name: 'late', expires_at: at + day });
  await world.sql(
    `UPDATE api_key SET expires_at = expires_at - interval '2 days', created_at = created_at - interval '2 days' WHERE public_id = $1`,
    [soon.prefix.slice(4)],
  );
  const told = async (): Promise<object[]> =>
    (await tenant.get<{ entries: object[] }>('/v1/audit?limit=100')).body.entries.filter(
      (entry) => (entry as { action: string }).action === 'api_key_expiring',
    );
  const workers = await Promise.all([startWorker(world.environment), startWorker(world.environment)]);
  const event = 'SELECT body FROM webhook_event WHERE tenant_id = $1';
  let sent: object[] = [];
  try {
    await eventually(async () => {
      sent = await world.sql(event, [await world.tenantOf(tenant)]);
      expect(sent).toHaveLength(1);
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
  const { body } = sent[0] as { body: string };
  expect(JSON.parse(body)).toMatchObject({
    type: 'key_expiring',
    data: {
      ...{ prefix: soon.prefix, name: 'soon', agent_id: 'bot' },
      expires_at: new Date(Math.floor((at - 2 * day) * 1000)).toISOString(),
    },
  });
  expect(await told()).toMatchObject([{ agent_id: 'bot', tool: 'haldir.gate' }]);
});

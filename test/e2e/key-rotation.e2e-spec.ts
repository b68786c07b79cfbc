import { setTimeout as pause } from 'node:timers/promises';
import { Client, startWorld, type World } from '@haldir/test-support';

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

import {
  type AppProcess,
  Client,
  startApi,
  startWorld,
  testEnvironment,
  times,
  type World,
} from '@haldir/test-support';

const statuses = (replies: { status: number }[]): number[] => replies.map(({ status }) => status).sort();
describe('the first key', () => {
  it('goes to exactly one of racing first calls over two processes, and the door stays shut', async () => {
    const environment = await testEnvironment();
    const apis = await Promise.all([startApi(environment), startApi(environment)]);
    const anyone = apis.map((api) => new Client(api.url, null));
    try {
      const replies = await times(20, (i) =>
        (anyone[i % 2] as Client).post<{ key: string; prefix: string }>('/v1/keys'),
      );
      expect(statuses(replies)).toEqual([201, ...Array<number>(19).fill(401)]);

      const first = replies.find(({ status }) => status === 201)?.body;
      const holder = new Client(apis[0].url, first?.key ?? '');
      expect((await holder.delete(`/v1/keys/${first?.prefix}`)).status).toBe(200);
      expect((await holder.get('/v1/keys')).status).toBe(401);
      expect((await (anyone[0] as Client).post('/v1/keys')).status).toBe(401);
    } finally {
      await Promise.all(apis.map((api) => api.stop()));
    }
  });

  it('is not given away where the operator asks for a token', async () => {
    const api = await startApi(await testEnvironment({ HALDIR_REQUIRE_BOOTSTRAP_TOKEN: 'true' }));
    try {
      expect((await new Client(api.url, null).post('/v1/keys')).status).toBe(401);
    } finally {
      await api.stop();
    }
  });
});

describe('keys and sessions over two processes', () => {
  let world: World;
  let here: Client;
  let there: Client;
  beforeAll(async () => {
    world = await startWorld({ processes: 2 });
    here = await world.newTenant();
    there = here.at(world.apis[1] as AppProcess);
  });
  afterAll(() => world.stop());

  it('a session revoked on one process is dead on the other at the next request', async () => {
    for (let i = 0; i < 20; i++) {
      const id = await here.session({ scopes: ['read'] });
      expect((await there.post(`/v1/sessions/${id}/check`, { scope: 'read' })).body).toMatchObject({ allowed: true });
      expect((await here.delete(`/v1/sessions/${id}`)).status).toBe(200);
      expect((await there.post(`/v1/sessions/${id}/check`, { scope: 'read' })).body).toMatchObject({ allowed: false });
      expect((await there.get(`/v1/sessions/${id}`)).status).toBe(404);
      expect((await there.delete(`/v1/sessions/${id}`)).status).toBe(404);
    }
    const { body } = await here.get<{ entries: { action: string; details: string }[] }>('/v1/audit?limit=1000');
    const revoked = body.entries.filter(({ action }) => action === 'session_revoked');
    expect(revoked.map(({ details }) => JSON.parse(details) as unknown)).toEqual(
      Array.from({ length: 20 }, () => ({ by: here.key?.slice(0, 14) })),
    );
  });

  it('a key revoked on one process is refused on the other at the next request', async () => {
    const { body } = await here.post<{ key: string; prefix: string }>('/v1/keys', { name: 'short-lived' });
    const holder = new Client(there.url, body.key);
    expect((await holder.get('/v1/sessions')).status).toBe(200);
    expect((await here.delete(`/v1/keys/${body.prefix}`)).body).toEqual({ revoked: true, prefix: body.prefix });
    expect((await holder.get('/v1/sessions')).status).toBe(401);
  });

  it('20 retries under one Idempotency-Key have one effect and one answer', async () => {
    const tenant = await world.newTenant();
    const replies = await times(20, (i) =>
      tenant
        .at(world.apis[i % 2] as AppProcess)
        .post('/v1/sessions', { agent_id: 'a' }, { 'idempotency-key': '"9f1c"' }),
    );
    expect(new Set(statuses(replies))).toEqual(new Set([201]));
    expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await tenant.get('/v1/sessions')).body).toMatchObject({ count: 1 });

    const other = await tenant.post('/v1/sessions', { agent_id: 'b' }, { 'idempotency-key': '9f1c' });
    expect(other.status).toBe(422);
    expect((await here.post('/v1/sessions', { agent_id: 'b' }, { 'idempotency-key': '9f1c' })).status).toBe(201);
  });

  it('keeps a minted key out of the idempotency store', async () => {
    const replay = async (): Promise<string> =>
      (await here.post<{ key: string }>('/v1/keys', {}, { 'idempotency-key': 'mint-1' })).body.key;
    const key = await replay();
    expect(await replay()).toBe(key);
    const { Client: Postgres } = await import('pg');
    const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
    await db.connect();
    const { rows } = await db.query<{ response: Buffer }>(
      'SELECT response FROM idempotency WHERE response IS NOT NULL',
    );
    await db.end();
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ response }) => response.includes(key))).toEqual([]);
  });

  it('passes on only scopes and tiers a key has itself', async () => {
    const narrow = await here.post<{ key: string }>('/v1/keys', {
      scopes: ['admin:write', 'audit:read'],
      tier: 'free',
    });
    const holder = new Client(here.url, narrow.body.key);
    expect((await holder.post('/v1/keys', { scopes: ['audit:read'] })).status).toBe(201);
    expect((await holder.post('/v1/keys', { scopes: ['audit:*'] })).status).toBe(403);
    expect((await holder.post('/v1/keys', {})).status).toBe(403);
    expect((await holder.get('/v1/sessions')).body).toMatchObject({ required: 'sessions:read' });
    expect((await holder.post('/v1/keys', { scopes: ['audit:fly'] })).body).toMatchObject({ code: 'invalid_scope' });

    const free = await world.newTenant({ tier: 'free' });
    expect((await free.post('/v1/keys', { tier: 'free' })).status).toBe(201);
    expect((await free.post('/v1/keys', { tier: 'pro' })).status).toBe(403);
    expect((await world.operator.post('/v1/keys', { tier: 'enterprise' })).status).toBe(201);
  });

  it('shows a tenant nothing of another', async () => {
    const stranger = await world.newTenant();
    const id = await here.session({ scopes: ['read'] });
    expect((await stranger.get(`/v1/sessions/${id}`)).status).toBe(404);
    expect((await stranger.delete(`/v1/sessions/${id}`)).status).toBe(404);
    expect((await stranger.post(`/v1/sessions/${id}/check`, { scope: 'read' })).body).toMatchObject({ allowed: false });
    expect((await stranger.get('/v1/sessions')).body).toMatchObject({ count: 0 });
    const { keys } = (await stranger.get<{ keys: { prefix: string }[] }>('/v1/keys')).body;
    expect(keys).toHaveLength(1);
    expect((await here.delete(`/v1/keys/${keys[0]?.prefix}`)).status).toBe(404);
    expect((await stranger.get('/v1/keys')).status).toBe(200);
  });

  it('takes either header, and no two that differ', async () => {
    const anyone = new Client(here.url, null);
    const other = (await here.post<{ key: string }>('/v1/keys', {})).body.key;
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await anyone.get('/v1/sessions', headers)).status;
    expect(await ask({ 'x-api-key': other })).toBe(200);
    expect(await ask({ 'x-api-key': other, authorization: 'Bearer hld_nonsense' })).toBe(200);
    expect(await ask({ 'x-api-key': other, authorization: `Bearer ${here.key}` })).toBe(401);
    expect(await ask({ authorization: `Basic ${other}` })).toBe(401);
  });

  it('pages through sessions without losing or repeating one while others are opened', async () => {
    const tenant = await world.newTenant();
    const ids = await times(25, () => tenant.session());
    const seen: string[] = [];
    let cursor = '';
    do {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await tenant.get<{ sessions: { session_id: string }[]; next_cursor: string | null }>(
        `/v1/sessions?limit=7${query}`,
      );
      seen.push(...page.body.sessions.map(({ session_id }) => session_id));
      cursor = page.body.next_cursor ?? '';
      await tenant.session();
    } while (cursor !== '');
    expect(new Set(seen).size).toBe(seen.length);
    expect(ids.filter((id) => !seen.includes(id))).toEqual([]);
  });
});

describe('the quota', () => {
  it('of a free key is exactly 100 requests an hour over two processes, and a refusal says when', async () => {
    const world = await startWorld({ processes: 2, environment: { HALDIR_TIER_LIMITS: 'free=100' } });
    try {
      const free = await world.newTenant({ tier: 'free' });
      const replies = await times(120, (i) => free.at(world.apis[i % 2] as AppProcess).get('/v1/sessions'));
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(100);
      const refused = replies.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(20);
      for (const { body, headers } of refused) {
        expect(body).toMatchObject({ limit: 100, tier: 'free', retry_after: Number(headers.get('retry-after')) });
        expect(headers.get('x-ratelimit-remaining')).toBe('0');
        expect(headers.get('ratelimit')).toMatch(/^"free";r=0;t=\d+$/);
      }
    } finally {
      await world.stop();
    }
  });

  it('of a pro key admits exactly its limit although tokens are leased', async () => {
    const world = await startWorld({ processes: 2, environment: { HALDIR_TIER_LIMITS: 'pro=1500' } });
    try {
      const pro = await world.newTenant({ tier: 'pro' });
      const replies: { status: number }[] = [];
      for (let round = 0; round < 18; round++) {
        replies.push(...(await times(100, (i) => pro.at(world.apis[i % 2] as AppProcess).get('/v1/sessions'))));
      }
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1500);
    } finally {
      await world.stop();
    }
  });
});

describe('usage', () => {
  it('counts authenticated requests of the tenant, and when a key was last used', async () => {
    const world = await startWorld();
    try {
      const tenant = await world.newTenant();
      await times(5, () => tenant.get('/v1/sessions'));
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const { keys } = (await tenant.get<{ keys: { last_used: number | null }[] }>('/v1/keys')).body;
      expect(keys[0]?.last_used).toBeGreaterThan(Date.now() / 1000 - 60);
    } finally {
      await world.stop();
    }
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import { BOOTSTRAP_TOKEN, Client, startWorld, type World } from '@haldir/test-support';
import { ContractClient } from './contract-client.js';

const KEY = /^hld_[0-9A-Za-z]{49}$/;
const MONTH = 2_592_000;
const long = (length: number): string => 'x'.repeat(length);
const now = (): number => Date.now() / 1000;

let world: World;
let tenant: Client;
let anyone: Client;
let api: ContractClient;
beforeAll(async () => {
  world = await startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } });
  tenant = await world.newTenant();
  anyone = new Client(tenant.url, null);
  api = new ContractClient(tenant);
});
afterAll(() => world.stop());

describe('createApiKey', () => {
  it.each([
    ['an absent body', undefined],
    ['an empty body', ''],
    ['an empty object', {}],
  ])('makes a free key for everything from %s', async (_, body) => {
    const headers = { 'content-type': 'application/json' };
    const { status, body: made } = await api.call<Record<string, string>>('createApiKey', { body, headers });
    expect(status).toBe(201);
    expect(made).toMatchObject({ name: 'default', tier: 'free', scopes: ['*'], message: expect.any(String) });
    expect(made['key']).toMatch(KEY);
    expect(made['prefix']).toBe(made['key']?.slice(0, 'hld_'.length + 10));
  });

  it('makes what was asked for, within the tier and the scopes of the key that asks', async () => {
    const asked = { name: 'ci ✓', tier: 'pro', scopes: ['audit:read', 'admin:write'] };
    const { body } = await api.call<{ key: string }>('createApiKey', { body: asked });
    expect(body).toMatchObject(asked);
    const pro = api.as(new Client(tenant.url, body.key));
    expect((await pro.call('createApiKey', { body: { scopes: ['audit:read'] } })).status).toBe(201);
    expect((await pro.call('createApiKey', { body: {} })).status).toBe(403);
    expect((await pro.call('createApiKey', { body: { scopes: ['vault:read'] } })).status).toBe(403);
    const free = api.as(await world.newTenant({ tier: 'free' }));
    expect((await free.call('createApiKey', { body: { tier: 'pro' } })).status).toBe(403);
    const reader = await api.call<{ key: string }>('createApiKey', { body: { scopes: ['audit:read'] } });
    const refused = await api.as(new Client(tenant.url, reader.body.key)).call('createApiKey', { body: {} });
    expect([refused.status, refused.body['required']]).toEqual([403, 'admin:write']);
  });

  it('makes the first key of a new tenant for the right token, and nothing for another or none', async () => {
    const stranger = api.as(anyone);
    const made = await stranger.call('createApiKey', {
      body: { bootstrap_token: BOOTSTRAP_TOKEN, tier: 'enterprise' },
    });
    expect(made.status).toBe(201);
    for (const body of [undefined, {}, { bootstrap_token: `${BOOTSTRAP_TOKEN}!` }, { bootstrap_token: '' }]) {
      expect((await stranger.call('createApiKey', { body })).status).toBe(401);
    }
  });

  it('names what is wrong', async () => {
    await api.refuses(
      'createApiKey',
      { body: {} },
      {
        name: [1, null, [], {}],
        tier: ['platinum', 'FREE', 1, null],
        bootstrap_token: [1, null],
        scopes: ['*', null, [1], [null]],
      },
    );
    for (const scope of ['audit:fly', 'nothing:read', 'audit', '', 'audit:read:write']) {
      const { status, body } = await api.call('createApiKey', { body: { scopes: ['audit:read', scope] } });
      expect([scope, status, body['code']]).toEqual([scope, 400, 'invalid_scope']);
    }
  });
});

describe('createSession', () => {
  it('fills in what was left out', async () => {
    const { body } = await api.call<{ expires_at: number }>('createSession', { body: { agent_id: 'a' } });
    expect(body).toMatchObject({ agent_id: 'a', scopes: ['read', 'browse'], ttl: 3600, spend_limit: null });
    expect(Math.abs(body.expires_at - now() - 3600)).toBeLessThan(5);
  });

  it.each([
    [['spend:50'], undefined, ['spend'], 50],
    [['read', 'spend:12.5'], undefined, ['read', 'spend'], 12.5],
    [['spend:50'], 7, ['spend'], 7],
    [['spend'], undefined, ['spend'], null],
    [['read'], 0, ['read'], 0],
    [['read'], 0.01, ['read'], 0.01],
    [['stripe:refund'], null, ['stripe:refund'], null],
  ])('of scopes %j and limit %j has %j and %j', async (scopes, spend_limit, granted, limit) => {
    const { body } = await api.call('createSession', { body: { agent_id: 'a', scopes, spend_limit } });
    expect(body).toMatchObject({ scopes: granted, spend_limit: limit });
  });

  it('takes what is just within the bounds', async () => {
    const scopes = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(128, 's'));
    const body = { agent_id: long(128), scopes, ttl: MONTH, spend_limit: 1 };
    expect((await api.call('createSession', { body })).body).toMatchObject(body);
    expect((await api.call('createSession', { body: { agent_id: 'a', ttl: 1 } })).status).toBe(201);
  });

  it('names what is wrong', async () => {
    await api.refuses(
      'createSession',
      { body: { agent_id: 'a' } },
      {
        agent_id: [undefined, '', long(129), 1, null, ['a'], { a: 1 }, true],
        scopes: [
          'read',
          { 0: 'read' },
          [1],
          [null],
          [['read']],
          ['spend:abc'],
          ['spend:-5'],
          [long(129)],
          Array(101).fill('s'),
        ],
        ttl: [0, -1, 1.5, MONTH + 1, '60', null, true, 1e308],
        spend_limit: [-1, -0.01, 0.001, '5', true, [], 1e308],
      },
    );
    expect((await api.call('createSession', { body: undefined })).status).toBe(400);
  });

  it('makes ids that nobody guesses', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => tenant.session()));
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) expect(id).toMatch(/^ses_[0-9A-Za-z_-]{22,}$/);
  });
});

describe('getSession and revokeSession', () => {
  it('tell and end a session, which is then as if it had never been', async () => {
    const path = { session_id: await tenant.session({ agent_id: 'a', scopes: ['read', 'spend:5'] }) };
    const { body } = await api.call<Record<string, number>>('getSession', { path });
    expect(body).toMatchObject({ ...path, agent_id: 'a', scopes: ['read', 'spend'], is_valid: true });
    expect(body).toMatchObject({ spend_limit: 5, spent: 0, remaining_budget: 5 });
    expect(Math.abs((body['created_at'] ?? 0) - now())).toBeLessThan(5);
    expect((body['expires_at'] ?? 0) - (body['created_at'] ?? 0)).toBeCloseTo(3600, 0);

    expect((await api.call('revokeSession', { path })).body).toEqual({ revoked: true, ...path });
    expect((await api.call('revokeSession', { path })).status).toBe(404);
    expect((await api.call('getSession', { path })).status).toBe(404);
    for (const session_id of ['ses_unknown', 'x', 'é', `ses_${long(300)}`]) {
      expect([session_id, (await api.call('getSession', { path: { session_id } })).status]).toEqual([session_id, 404]);
      expect([session_id, (await api.call('revokeSession', { path: { session_id } })).status]).toEqual([
        session_id,
        404,
      ]);
    }
  });

  it('know no session whose time is over', async () => {
    const path = { session_id: await tenant.session({ ttl: 1 }) };
    expect((await api.call('getSession', { path })).status).toBe(200);
    await pause(1100);
    expect((await api.call('getSession', { path })).status).toBe(404);
    expect((await api.call('revokeSession', { path })).status).toBe(404);
    expect((await api.call('checkPermission', { path, body: { scope: 'read' } })).body['allowed']).toBe(false);
  });
});

describe('checkPermission', () => {
  it.each([
    [['read'], 'read', true],
    [['read'], 'write', false],
    [['read'], 'read:docs', true],
    [['read:docs'], 'read', false],
    [['stripe:refund'], 'stripe:refund', true],
    [['stripe:refund'], 'stripe:charge', false],
    [['admin'], 'anything:at:all', true],
    [['spend:5'], 'spend', true],
    [['read'], 'spend', false],
  ])('of a session with %j for %s is %s', async (scopes, scope, allowed) => {
    const path = { session_id: await tenant.session({ scopes }) };
    const { status, body } = await api.call('checkPermission', { path, body: { scope } });
    expect([status, body]).toEqual([200, { allowed, ...path, scope }]);
  });

  it('answers no for a session that is not there, and names what is wrong', async () => {
    const path = { session_id: 'ses_unknown' };
    const { status, body } = await api.call('checkPermission', { path, body: { scope: 'read' } });
    expect([status, body]).toEqual([200, { allowed: false, ...path, scope: 'read' }]);
    await api.refuses('checkPermission', { path, body: {} }, { scope: [undefined, 1, null, [], '', long(100_000)] });
    expect((await api.call('checkPermission', { path })).status).toBe(400);
  });
});

describe('secrets', () => {
  it('are stored, replaced, listed, read and deleted', async () => {
    const own = api.as(await world.newTenant());
    const path = { name: 'stripe/key ü%2F' };
    expect((await own.call('listSecrets')).body).toMatchObject({ secrets: [], count: 0 });
    for (const value of ['first', 'sk_live_ü\n"']) {
      const stored = await own.call('storeSecret', { body: { ...path, value } });
      expect(stored.status).toBe(201);
      expect(stored.body).toMatchObject({ stored: true, ...path });
      expect((await own.call('getSecret', { path })).body).toEqual({ ...path, value });
    }
    expect((await own.call('listSecrets')).body).toMatchObject({ secrets: [path.name], count: 1 });
    expect((await own.call('deleteSecret', { path })).body).toEqual({ deleted: true, ...path });
    expect((await own.call('deleteSecret', { path })).status).toBe(404);
    expect((await own.call('getSecret', { path })).status).toBe(404);
    expect((await own.call('listSecrets')).body).toMatchObject({ secrets: [], count: 0 });
  });

  it('are read by sessions that hold the scope, in header or query', async () => {
    const path = { name: 'scoped' };
    await api.call('storeSecret', { body: { ...path, value: 'v', scope_required: 'vault' } });
    const read = async (session_id: string): Promise<number[]> => [
      (await api.call('getSecret', { path, query: { session_id } })).status,
      (await api.call('getSecret', { path, headers: { 'x-session-id': session_id } })).status,
    ];
    const revoked = await tenant.session({ scopes: ['vault'] });
    await api.call('revokeSession', { path: { session_id: revoked } });
    expect(await read(await tenant.session({ scopes: ['vault'] }))).toEqual([200, 200]);
    expect(await read(await tenant.session({ scopes: ['read'] }))).toEqual([403, 403]);
    expect(await read(revoked)).toEqual([401, 401]);
    expect(await read('ses_unknown')).toEqual([401, 401]);
    const missing = { path: { name: 'missing' }, query: { session_id: await tenant.session() } };
    expect((await api.call('getSecret', missing)).status).toBe(404);
  });

  it('that cannot be are refused by name', async () => {
    await api.refuses(
      'storeSecret',
      { body: { name: 'n', value: 'v' } },
      {
        name: [undefined, '', long(256), 1, null, [], 'a\nb', '.', '..'],
        value: [undefined, 1, null, {}, ['v']],
        scope_required: [1, null, []],
      },
    );
  });
});

describe('authorizePayment', () => {
  const asked = { amount: 1.5, currency: 'USD', description: 'One month of search' };

  it('takes the amount from the budget until it does not fit', async () => {
    const session_id = await tenant.session({ agent_id: 'buyer', spend_limit: 2 });
    const first = await api.call('authorizePayment', { body: { ...asked, session_id } });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      ...asked,
      authorized: true,
      session_id,
      agent_id: 'buyer',
      remaining_budget: 0.5,
    });
    expect(first.body).toMatchObject({ authorization_id: expect.any(String), timestamp: expect.any(Number) });
    const second = await api.call('authorizePayment', { body: { ...asked, session_id } });
    expect(second.status).toBe(403);
    expect(second.body).toMatchObject({ authorized: false, amount: 1.5, currency: 'USD', remaining_budget: 0.5 });
    expect(second.body['reason']).toEqual(expect.any(String));
    expect((await api.call('getSession', { path: { session_id } })).body).toMatchObject({
      spent: 1.5,
      remaining_budget: 0.5,
    });
  });

  it('is exact: ten times 0.10 leave nothing of 1.00', async () => {
    const session_id = await tenant.session({ spend_limit: 1 });
    const left: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      left.push((await api.call('authorizePayment', { body: { session_id, amount: 0.1 } })).body['remaining_budget']);
    }
    expect(left).toEqual([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0]);
    expect((await api.call('authorizePayment', { body: { session_id, amount: 0.01 } })).status).toBe(403);
  });

  it.each([
    ['without a limit but with the scope', { scopes: ['spend'] }, 200, null],
    ['with a limit but without the scope', { scopes: ['read'], spend_limit: 2 }, 200, 1],
    ['with neither', { scopes: ['read'] }, 403, null],
    ['with a limit of 0', { scopes: ['spend'], spend_limit: 0 }, 403, 0],
  ])('of a session %s', async (_, session, status, remaining_budget) => {
    const session_id = await tenant.session(session);
    const reply = await api.call('authorizePayment', { body: { session_id, amount: 1 } });
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ authorized: status === 200, amount: 1, currency: 'USD', remaining_budget });
  });

  it('takes no other currency for dollars', async () => {
    const body = { session_id: await tenant.session({ spend_limit: 500 }), amount: 1, currency: 'JPY' };
    const limited = await api.call('authorizePayment', { body });
    expect(limited.status).toBe(403);
    expect(limited.body).toMatchObject({ authorized: false, currency: 'JPY', remaining_budget: 500 });
    const unlimited = {
      ...body,
      session_id: await tenant.session({ scopes: ['spend'] }),
      amount: 0.125,
      currency: 'KWD',
    };
    expect((await api.call('authorizePayment', { body: unlimited })).body).toMatchObject({
      authorized: true,
      amount: 0.125,
    });
  });

  it('asks for a live session of the tenant, and names what is wrong', async () => {
    const session_id = await tenant.session({ spend_limit: 5 });
    const revoked = await tenant.session({ spend_limit: 5 });
    await api.call('revokeSession', { path: { session_id: revoked } });
    for (const dead of [revoked, 'ses_unknown', 'x']) {
      expect((await api.call('authorizePayment', { body: { ...asked, session_id: dead } })).status).toBe(401);
    }
    await api.refuses(
      'authorizePayment',
      { body: { session_id, amount: 1 } },
      {
        session_id: [undefined, 1, null, {}],
        amount: [undefined, 0, -1, -0, 0.001, 1_000_000.01, 1e21, 1e308, '1', null, true, [1]],
        currency: ['XXQ', 'usd ', '', 'DOLLARS', 1, null],
        description: [1, null, {}],
      },
    );
    for (const [currency, amount] of [
      ['JPY', 1.5],
      ['KWD', 0.0001],
    ]) {
      await api.refuses('authorizePayment', { body: { session_id, currency } }, { amount: [amount] });
    }
  });
});

it('every documented answer of gate and vault was seen, here or for every operation alike', () => {
  const unseen = api.unseen('gate', 'vault').filter((answer) => !/ (401|429)$|^(healthCheck|apiIndex) /.test(answer));
  expect(unseen).toEqual([]);
});

import { createHash } from 'node:crypto';
import { Client, eventually, startWorker, startWorld, type World } from '@haldir/test-support';
import { Client as Postgres } from 'pg';

let world: World;
let api: Postgres;
let victim: Client;
beforeAll(async () => {
  world = await startWorld();
  victim = await world.newTenant();
  await victim.post('/v1/secrets', { name: 'crown', value: 'jewels-of-the-victim' });
  api = new Postgres({ connectionString: world.environment['DATABASE_URL'] });
  await api.connect();
});
afterAll(async () => {
  await api.end();
  await world.stop();
});

const publicIdOf = (client: Client): string => client.key?.slice(4, 14) ?? '';

/** Edits a row as the superuser of the database, or as the API's role that says it is both tenants. */
async function edit(by: string, statement: string, values: unknown[], tenants: string[]): Promise<number | null> {
  if (by === 'superuser') {
    await world.sql(statement, values);
    return 1;
  }
  await api.query(`SELECT set_config('haldir.tenants', $1, false)`, [`{${tenants.join(',')}}`]);
  return (await api.query(statement, values)).rowCount;
}

describe.each(['superuser', 'API’s role'])('a row that the %s edits in the database', (by) => {
  const keyEdits = {
    'another tenant': 'UPDATE api_key SET tenant_id = $2 WHERE public_id = $1 AND $2::text IS NOT NULL',
    'wider scopes': `UPDATE api_key SET scopes = '{*}' WHERE public_id = $1 AND $2::text IS NOT NULL`,
    'another tier': `UPDATE api_key SET tier = 'enterprise' WHERE public_id = $1 AND $2::text IS NOT NULL`,
    'another principal': `UPDATE api_key SET principal_id = 'hld_0000000000' WHERE public_id = $1 AND $2::text IS NOT NULL`,
    'another end': `UPDATE api_key SET expires_at = '2099-01-01' WHERE public_id = $1 AND $2::text IS NOT NULL`,
    'another MAC': `UPDATE api_key SET mac = sha256(mac) WHERE public_id = $1 AND $2::text IS NOT NULL`,
  };

  it.each(Object.entries(keyEdits))('opens nothing as a key: %s', async (_, statement) => {
    const attacker = await world.newTenant({ tier: 'free', scopes: ['audit:read', 'vault:read'] });
    expect((await attacker.get('/v1/audit')).status).toBe(200);
    const [mine, theirs] = [await world.tenantOf(attacker), await world.tenantOf(victim)];
    expect(await edit(by, statement, [publicIdOf(attacker), theirs], [mine, theirs])).toBe(1);
    for (const path of ['/v1/secrets/crown', '/v1/audit']) {
      const reply = await attacker.get(path);
      expect([reply.status, JSON.stringify(reply.body).includes('jewels')]).toEqual([401, false]);
    }
    const digest = createHash('sha256')
      .update(`hld_${publicIdOf(attacker)}`)
      .digest('hex');
    await eventually(() => {
      const line =
        world.apis[0]
          ?.output()
          .split('\n')
          .find((text) => text.includes(digest)) ?? '{}';
      expect(JSON.parse(line)).toMatchObject({ event: 'grant.altered', what: 'api_key.v1' });
      expect(line).not.toContain(attacker.key);
      return Promise.resolve();
    });
  });

  const sessionEdits = {
    'no limit': 'UPDATE session SET spend_limit_micros = NULL WHERE id = $1',
    'a higher limit': 'UPDATE session SET spend_limit_micros = 1000000000 WHERE id = $1',
    'wider scopes': `UPDATE session SET scopes = '{admin}' WHERE id = $1`,
    'another agent': `UPDATE session SET agent_id = 'somebody-else' WHERE id = $1`,
    'a later end': `UPDATE session SET expires_at = expires_at + interval '1 year' WHERE id = $1`,
    'another parent': `UPDATE session SET lineage = ARRAY['ses_0'] WHERE id = $1`,
    'another opener': `UPDATE session SET opened_key = 'hld_0000000000' WHERE id = $1`,
  };

  it.each(Object.entries(sessionEdits))('opens nothing as a session: %s', async (_, statement) => {
    const tenant = await world.newTenant();
    const id = await tenant.session({ scopes: ['read'], spend_limit: 5 });
    const held = await tenant.post<{ authorization_id: string }>('/v1/payments/hold', { session_id: id, amount: 1 });
    expect(held.status).toBe(200);
    expect(await edit(by, statement, [id], [await world.tenantOf(tenant)])).toBe(1);
    const pay = await tenant.post('/v1/payments/authorize', { session_id: id, amount: 2 });
    expect([pay.status, pay.body['authorized']]).toEqual([401, undefined]);
    expect((await tenant.post(`/v1/sessions/${id}/check`, { scope: 'read' })).body).toMatchObject({ allowed: false });
    expect((await tenant.get(`/v1/sessions/${id}`)).status).toBe(404);
    // What was held before can be given back.
    expect((await tenant.post(`/v1/payments/${held.body.authorization_id}/void`)).status).toBe(200);
    const digest = createHash('sha256').update(id).digest('hex');
    await eventually(() => {
      expect(world.apis[0]?.output()).toContain(digest);
      expect(world.apis[0]?.output()).not.toContain(id);
      return Promise.resolve();
    });
  });
});

it('a tenant whose row is edited makes no keys of another tier', async () => {
  const tenant = await world.newTenant({ tier: 'free' });
  await world.sql(`UPDATE tenant SET tier = 'enterprise' WHERE id = $1`, [await world.tenantOf(tenant)]);
  expect((await tenant.post('/v1/keys', { tier: 'enterprise' })).status).toBe(401);
});

it.each([
  `UPDATE api_key SET agent_scopes = '{admin}' WHERE public_id = $1`,
  `UPDATE api_key SET agent_id = 'somebody-else' WHERE public_id = $1`,
  `UPDATE api_key SET agent_spend_limit_micros = 1000000000 WHERE public_id = $1`,
  `UPDATE api_key SET agent_ttl_seconds = 2592000 WHERE public_id = $1`,
])('an agent key whose ceiling is edited opens nothing: %s', async (statement) => {
  const agent = { agent_id: 'bot', scopes: ['read'], ttl: 600, spend_limit: 1, upstreams: ['lib'] };
  const made = await victim.post<{ key: string }>('/v1/keys', { agent });
  const key = new Client(victim.url, made.body.key);
  expect((await key.post('/v1/sessions', { agent_id: 'bot', scopes: ['read'], ttl: 60 })).status).toBe(201);
  await world.sql(statement, [publicIdOf(key)]);
  expect((await key.post('/v1/sessions', { agent_id: 'bot', scopes: ['read'], ttl: 60 })).status).toBe(401);
});

it.each([
  ['a higher limit', 'UPDATE api_key SET agent_spend_limit_micros = 1000000000 WHERE public_id = $1'],
  ['a longer period’s limit', `UPDATE api_key SET agent_spend_period = 'total' WHERE public_id = $1`],
  ['no row', 'DELETE FROM api_key WHERE public_id = $1'],
])('the standing budget of an agent key is not what its row says once that is edited: %s', async (_, statement) => {
  const tenant = await world.newTenant();
  const agent = { agent_id: 'a', scopes: ['read'], ttl: 600, spend_limit: 5 };
  const { body: made } = await tenant.post<{ key: string; prefix: string }>('/v1/keys', { agent });
  const { body: opened } = await new Client(tenant.url, made.key).post('/v1/sessions', { agent_id: 'a' });
  const pay = (amount: number) => tenant.post('/v1/payments/authorize', { session_id: opened['session_id'], amount });
  expect((await pay(1)).status).toBe(200);
  await world.sql(statement, [made.prefix.slice(4)]);
  expect(await pay(1)).toMatchObject({ status: 401, body: { code: 'invalid_session' } });
});

it('what a session has spent, when that is lowered in the database, differs from the log, and is flagged', async () => {
  const tenant = await world.newTenant();
  const id = await tenant.session({ spend_limit: 10 });
  const untouched = await tenant.session({ spend_limit: 10 });
  for (const session_id of [id, untouched]) {
    await tenant.post('/v1/payments/authorize', { session_id, amount: 4.5 });
    const held = await tenant.post('/v1/payments/hold', { session_id, amount: 3, currency: 'USD' });
    await tenant.post(`/v1/payments/${String(held.body['authorization_id'])}/capture`, { amount: 1.25 });
    await tenant.post('/v1/payments/hold', { session_id, amount: 1 });
  }
  await world.sql('UPDATE session SET spent_micros = 1250000 WHERE id = $1', [id]);
  const flagged = async (): Promise<unknown> =>
    (await tenant.get<{ entries: object[] }>('/v1/audit?flagged=true')).body.entries;
  const difference = {
    ...{ tool: 'haldir.watch', action: 'spent_differs', session_id: id, flagged: true },
    flag_reason: "spent_differs: the session's row says that 1.25 USD are spent, its payments in the log 5.75",
    details: '{"spent":1.25,"logged":5.75}',
  };
  const worker = await startWorker(world.environment);
  try {
    await eventually(async () => expect(await flagged()).toMatchObject([difference]));
  } finally {
    await worker.stop();
  }
});

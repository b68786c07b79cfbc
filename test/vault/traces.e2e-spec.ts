import { type AppProcess, type Client, sharedWorld, startApi, times, type World } from '@haldir/test-support';
import { path, store } from './secrets.js';

type Body = Record<string, unknown>;

const hex = (text: string): string => Buffer.from(text).toString('hex');

let world: World;
let here: Client;
beforeAll(async () => {
  world = await sharedWorld();
  here = world.operator;
});

/** How many entries of an action a tenant's log holds. */
async function entries(client: Client, action: string): Promise<Body[]> {
  const rows = await world.sql<{ details: string; session_id: string; agent_id: string; tool: string }>(
    'SELECT details, session_id, agent_id, tool FROM audit_entry WHERE tenant_id = $1 AND action = $2 ORDER BY seq',
    [await world.tenantOf(client), action],
  );
  return rows.map(({ details, ...entry }) => ({ ...entry, details: JSON.parse(details) as Body }));
}

describe('the audit log', () => {
  it('has one entry for each of 1,000 reads', async () => {
    const tenant = await world.newTenant();
    await store(tenant, 'busy', 'v');
    const session = await tenant.session();
    for (let round = 0; round < 10; round++) {
      const replies = await times(100, (i) =>
        tenant
          .at(world.apis[i % 2] as AppProcess)
          .get(path('busy'), i % 4 === 0 ? { 'x-session-id': session } : undefined),
      );
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    }
    const read = await entries(tenant, 'secret_read');
    expect(read).toHaveLength(1000);
    expect(read.filter(({ session_id }) => session_id === session)).toHaveLength(250);
  });

  it('says who stored, read, deleted and was refused what', async () => {
    const tenant = await world.newTenant();
    const prefix = tenant.key?.slice(0, 14);
    await store(tenant, 'noted', 'v', { scope_required: 'pay' });
    const session = await tenant.session({ agent_id: 'reader' });
    await tenant.get(path('noted'));
    await tenant.get(path('noted'), { 'x-session-id': session });
    await tenant.get(path('noted'), { 'x-session-id': 'ses_dead' });
    await tenant.delete(path('noted'));
    expect(await entries(tenant, 'secret_stored')).toEqual([
      {
        tool: 'haldir.vault',
        session_id: '',
        agent_id: '',
        details: { name: 'noted', version: 1, scope_required: 'pay', by: prefix },
      },
    ]);
    expect(await entries(tenant, 'secret_read')).toEqual([
      { tool: 'haldir.vault', session_id: '', agent_id: '', details: { name: 'noted', version: 1, by: prefix } },
    ]);
    expect(await entries(tenant, 'secret_read_denied')).toEqual([
      {
        tool: 'haldir.vault',
        session_id: session,
        agent_id: 'reader',
        details: { name: 'noted', reason: 'missing_scope', scope_required: 'pay', by: prefix },
      },
      {
        tool: 'haldir.vault',
        session_id: '',
        agent_id: '',
        details: { name: 'noted', reason: 'invalid_session', by: prefix },
      },
    ]);
    expect(await entries(tenant, 'secret_deleted')).toMatchObject([{ details: { name: 'noted', versions: 1 } }]);
  });

  it('that cannot be written keeps the value in', async () => {
    const tenant = await world.newTenant();
    await store(tenant, 'kept', 'canary-kept-in');
    const session = await tenant.session();
    await world.sql(`
      CREATE FUNCTION refuse_entries() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no more'; END $$;
      CREATE TRIGGER refuse_entries BEFORE INSERT ON audit_entry FOR EACH ROW
        WHEN (NEW.tenant_id = '${await world.tenantOf(tenant)}') EXECUTE FUNCTION refuse_entries();`);
    try {
      for (const headers of [undefined, { 'x-session-id': session }]) {
        const { status, body, headers: sent } = await tenant.get(path('kept'), headers);
        expect(status).toBe(503);
        expect(sent.get('retry-after')).toBe('1');
        expect(JSON.stringify(body)).not.toContain('canary-kept-in');
      }
      // The others' reads, which share its batches, go on.
      await store(here, 'others', 'go on');
      const replies = await times(20, (i) => (i % 2 === 0 ? tenant.get(path('kept')) : here.get(path('others'))));
      expect(replies.map(({ status }) => status)).toEqual(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 503 : 200)),
      );
    } finally {
      await world.sql('DROP TRIGGER refuse_entries ON audit_entry; DROP FUNCTION refuse_entries()');
    }
    expect((await tenant.get(path('kept'))).body).toMatchObject({ value: 'canary-kept-in' });
    expect(await entries(tenant, 'secret_read')).toHaveLength(1);
  });
});

describe('what lies in the database', () => {
  it('shows no value, nor do the logs', async () => {
    const canary = 'canary-0f9c-value';
    await store(here, 'canary', canary);
    await here.post('/v1/secrets', { name: 'canary', value: canary }, { 'idempotency-key': 'canary' });
    await here.get(`${path('canary')}?session_id=${await here.session()}`);
    await here.post('/v1/secrets', `{"name":"canary","value":"${canary}"`);
    await here.post('/v1/secrets', { name: [canary], value: canary });
    const tables = await world.sql<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'bullmq')`,
    );
    expect(tables.length).toBeGreaterThan(15);
    for (const { name } of tables) {
      const found = await world.sql(`SELECT 1 FROM ${name} AS t WHERE t::text LIKE $1 OR t::text LIKE $2 LIMIT 1`, [
        `%${canary}%`,
        `%${hex(canary)}%`,
      ]);
      expect([name, found]).toEqual([name, []]);
    }
    for (const api of world.apis) expect(api.output()).not.toContain(canary);
  });

  it('does not open when it was moved, altered or given a lower scope', async () => {
    const [a, b] = [await world.newTenant(), await world.newTenant()];
    const [tenantA, tenantB] = [await world.tenantOf(a), await world.tenantOf(b)];
    for (const client of [a, b]) for (const version of [1, 2]) await store(client, 'one', `one ${version}`);
    await store(a, 'two', 'two 1', { scope_required: 'admin-only' });
    await store(a, 'two', 'two 2', { scope_required: 'admin-only' });
    const [session, admin] = [await a.session(), await a.session({ scopes: ['admin'] })];
    const idOf = async (tenant: string, name: string): Promise<string> =>
      (await world.sql<{ id: string }>('SELECT id FROM secret WHERE tenant_id = $1 AND name = $2', [tenant, name]))[0]
        ?.id ?? '';
    const [oneA, twoA, oneB] = [await idOf(tenantA, 'one'), await idOf(tenantA, 'two'), await idOf(tenantB, 'one')];
    const at = (tenant: string, id: string, version: number): string =>
      `tenant_id = '${tenant}' AND secret_id = '${id}' AND version = ${version}`;
    const copy = (columns: string, to: string, from: string): string =>
      `UPDATE secret_version AS x SET (${columns}) = (SELECT ${columns} FROM secret_version WHERE ${from}) WHERE ${to}`;
    const newest = at(tenantA, oneA, 2);
    const all = 'wrapped_key, value, scope_required, expires_at, bindings';
    const tampering: Record<string, string> = {
      'another secret’s value': copy('value', newest, at(tenantA, twoA, 2)),
      'another secret’s key': copy('wrapped_key', newest, at(tenantA, twoA, 2)),
      'another secret, whole': copy(all, newest, at(tenantA, twoA, 2)),
      'another tenant’s secret, whole': copy(all, newest, at(tenantB, oneB, 2)),
      'an earlier version’s value': copy('value', newest, at(tenantA, oneA, 1)),
      'an earlier version, whole': copy(all, newest, at(tenantA, oneA, 1)),
      'another binding': `UPDATE secret_version SET bindings = '{api.*}' WHERE ${newest}`,
      'another scope': `UPDATE secret_version SET scope_required = 'browse' WHERE ${newest}`,
      'another name': `UPDATE secret SET name = 'renamed' WHERE tenant_id = '${tenantA}' AND id = '${oneA}'`,
      'a bit of the value': `UPDATE secret_version SET value = set_byte(value, 20, get_byte(value, 20) # 1) WHERE ${newest}`,
      'a bit of the tag': `UPDATE secret_version SET value = set_byte(value, length(value) - 1, get_byte(value, length(value) - 1) # 128) WHERE ${newest}`,
      'a shorter value': `UPDATE secret_version SET value = substr(value, 1, 20) WHERE ${newest}`,
      'no value': `UPDATE secret_version SET value = '', wrapped_key = '' WHERE ${newest}`,
      'a key of a version nobody has': `UPDATE secret_version SET wrapped_key = set_byte(wrapped_key, 4, 9) WHERE ${newest}`,
      'a bit of the key': `UPDATE secret_version SET wrapped_key = set_byte(wrapped_key, 20, get_byte(wrapped_key, 20) # 1) WHERE ${newest}`,
    };
    const absent = await a.get(path('no such secret'));
    for (const [what, statement] of Object.entries(tampering)) {
      const name = what === 'another name' ? 'renamed' : 'one';
      await world.sql('CREATE TABLE kept_secret AS TABLE secret');
      await world.sql('CREATE TABLE kept_version AS TABLE secret_version');
      await world.sql(statement);
      for (const reply of [await a.get(path(name)), await a.get(path(name), { 'x-session-id': admin })]) {
        expect([what, reply.status, { ...reply.body, request_id: '' }]).toEqual([
          what,
          404,
          { ...absent.body, request_id: '' },
        ]);
      }
      await world.sql(`UPDATE secret SET name = k.name FROM kept_secret k WHERE k.tenant_id = secret.tenant_id AND k.id = secret.id;
        UPDATE secret_version v SET (${all}) = (k.wrapped_key, k.value, k.scope_required, k.expires_at, k.bindings) FROM kept_version k
         WHERE k.tenant_id = v.tenant_id AND k.secret_id = v.secret_id AND k.version = v.version;
        DROP TABLE kept_secret, kept_version`);
      expect((await a.get(path('one'))).body).toEqual({ name: 'one', value: 'one 2' });
    }

    // A session without the scope does not get in through a scope that was lowered behind Haldir's back.
    expect((await a.get(path('two'), { 'x-session-id': session })).status).toBe(403);
    await world.sql(`UPDATE secret_version SET scope_required = 'read' WHERE ${at(tenantA, twoA, 2)}`);
    expect((await a.get(path('two'), { 'x-session-id': session })).status).toBe(404);
    expect((await entries(a, 'secret_read_denied')).at(-1)).toMatchObject({
      session_id: session,
      details: { name: 'two', reason: 'does_not_open' },
    });
    // Nor is anything opened under a tenant's key that was put in the place of another's.
    await world.sql(
      'UPDATE tenant_key k SET wrapped = o.wrapped FROM tenant_key o WHERE k.tenant_id = $1 AND o.tenant_id = $2',
      [tenantA, tenantB],
    );
    const c = await world.newTenant();
    await store(c, 'one', 'one');
    await world.sql('UPDATE tenant_key SET wrapped = set_byte(wrapped, 4, 9) WHERE tenant_id = $1', [
      await world.tenantOf(c),
    ]);
    const fresh = await startApi(world.environment);
    try {
      // Where the operator has not given the root key 9, it is 503.
      expect((await c.at(fresh).get(path('one'))).status).toBe(503);
      expect((await c.at(fresh).post('/v1/secrets', { name: 'two', value: 'v' })).status).toBe(503);
      expect((await a.at(fresh).get(path('one'))).status).toBe(404);
      expect((await b.at(fresh).get(path('one'))).body).toMatchObject({ value: 'one 2' });
    } finally {
      await fresh.stop();
    }
  });
});

import { createHash } from 'node:crypto';
import { type AppProcess, Client, type Reply, startApi, startWorld, type World } from '@haldir/test-support';

type Body = Record<string, unknown>;

const times = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)));
const path = (name: string): string => `/v1/secrets/${encodeURIComponent(name)}`;
const hex = (text: string): string => Buffer.from(text).toString('hex');

let world: World;
let here: Client;
let there: Client;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  here = world.operator;
  there = here.at(world.apis[1] as AppProcess);
});
afterAll(() => world.stop());

async function store(client: Client, name: string, value: string, more: Body = {}): Promise<Reply> {
  const reply = await client.post('/v1/secrets', { name, value, ...more });
  expect([reply.status, reply.body['name']]).toEqual([201, name]);
  return reply;
}

/** How many entries of an action a tenant's log holds. */
async function entries(client: Client, action: string): Promise<Body[]> {
  const rows = await world.sql<{ details: string; session_id: string; agent_id: string; tool: string }>(
    'SELECT details, session_id, agent_id, tool FROM audit_entry WHERE tenant_id = $1 AND action = $2 ORDER BY seq',
    [await world.tenantOf(client), action],
  );
  return rows.map(({ details, ...entry }) => ({ ...entry, details: JSON.parse(details) as Body }));
}

describe('a secret', () => {
  it('is read as it was stored, on every process at once, until it is deleted', async () => {
    const tenant = await world.newTenant();
    const elsewhere = tenant.at(world.apis[1] as AppProcess);
    expect((await store(tenant, 'stripe', 'sk_1')).body).toEqual({
      stored: true,
      name: 'stripe',
      version: 1,
      expires_at: null,
      bindings: [],
    });
    expect((await elsewhere.get(path('stripe'))).body).toEqual({ name: 'stripe', value: 'sk_1' });

    expect((await store(elsewhere, 'stripe', 'sk_2')).body).toMatchObject({ version: 2 });
    expect((await tenant.get(path('stripe'))).body).toEqual({ name: 'stripe', value: 'sk_2' });
    const [kept] = await world.sql('SELECT count(*)::integer AS versions FROM secret_version WHERE tenant_id = $1', [
      await world.tenantOf(tenant),
    ]);
    expect(kept).toEqual({ versions: 2 });

    await store(tenant, 'empty', '');
    expect((await tenant.get(path('empty'))).body).toEqual({ name: 'empty', value: '' });
    const long = 'ünïcödé 🔑\r\n"\\'.repeat(20_000);
    await store(tenant, 'long', long);
    expect((await elsewhere.get(path('long'))).body).toEqual({ name: 'long', value: long });
    expect((await tenant.get('/v1/secrets')).body).toEqual({
      secrets: ['empty', 'long', 'stripe'],
      count: 3,
      next_cursor: null,
    });

    expect((await elsewhere.delete(path('stripe'))).body).toEqual({ deleted: true, name: 'stripe' });
    for (const client of [tenant, elsewhere]) {
      expect((await client.get(path('stripe'))).status).toBe(404);
      expect((await client.delete(path('stripe'))).status).toBe(404);
    }
    expect((await tenant.get('/v1/secrets')).body).toMatchObject({ secrets: ['empty', 'long'] });
    expect((await store(tenant, 'stripe', 'sk_3')).body).toMatchObject({ version: 1 });
    expect((await tenant.get(path('stripe'))).body).toEqual({ name: 'stripe', value: 'sk_3' });
  });

  it('keeps one version for each of racing stores, and one of their values', async () => {
    const replies = await times(20, (i) =>
      (i % 2 === 0 ? here : there).post<{ version: number }>('/v1/secrets', { name: 'raced', value: `value ${i}` }),
    );
    expect(replies.map(({ body }) => body.version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    const last = replies.findIndex(({ body }) => body.version === 20);
    expect((await there.get(path('raced'))).body).toEqual({ name: 'raced', value: `value ${last}` });
  });

  it('is stored once under one Idempotency-Key, whose record does not hold it', async () => {
    const value = 'hunter2 hunter2 hunter2';
    const body = { name: 'retried', value };
    const replies = await times(10, (i) =>
      (i % 2 === 0 ? here : there).post('/v1/secrets', body, { 'idempotency-key': 'store-1' }),
    );
    expect(new Set(replies.map(({ status, body: answer }) => JSON.stringify([status, answer]))).size).toBe(1);
    expect(replies[0]?.body).toMatchObject({ version: 1 });
    // A plain hash of the request would let whoever reads the database try values until one fits.
    const guess = createHash('sha256')
      .update(`${JSON.stringify(body)}\0/v1/secrets`)
      .digest();
    expect(await world.sql('SELECT 1 FROM idempotency WHERE fingerprint = $1', [guess])).toEqual([]);
  });

  it('asks a session for its scope', async () => {
    const tenant = await world.newTenant();
    await store(tenant, 'plain', 'p');
    await store(tenant, 'guarded', 'g', { scope_required: 'stripe:charge' });
    const read = (name: string, session: string): Promise<Reply> =>
      tenant.get(path(name), { 'x-session-id': session }).then(async (reply) => {
        const byQuery = await tenant.get(`${path(name)}?session_id=${session}`);
        // An empty value in a query is nobody's session, and named as what it is.
        expect([byQuery.status, byQuery.body['value']]).toEqual([
          session === '' ? 400 : reply.status,
          reply.body['value'],
        ]);
        return reply;
      });

    const reader = await tenant.session();
    expect((await read('plain', reader)).body).toEqual({ name: 'plain', value: 'p' });
    const refused = await read('guarded', reader);
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ error: expect.any(String), required: 'stripe:charge' });
    expect((await read('guarded', await tenant.session({ scopes: ['stripe:refund'] }))).status).toBe(403);
    expect((await read('plain', await tenant.session({ scopes: [] }))).status).toBe(403);
    for (const scopes of [['stripe:charge'], ['stripe'], ['admin']]) {
      expect((await read('guarded', await tenant.session({ scopes }))).body).toMatchObject({ value: 'g' });
    }
    expect((await tenant.get(path('guarded'))).body).toMatchObject({ value: 'g' });

    const stranger = await (await world.newTenant()).session({ scopes: ['admin'] });
    const revoked = await tenant.session();
    await tenant.delete(`/v1/sessions/${revoked}`);
    for (const session of [stranger, revoked, 'ses_nonsense', '']) {
      expect((await read('plain', session)).status).toBe(401);
      expect((await read('no such secret', session)).status).toBe(401);
    }
    expect((await read('no such secret', reader)).status).toBe(404);
    const two = await tenant.get(`${path('plain')}?session_id=${reader}`, { 'x-session-id': stranger });
    expect(two.status).toBe(400);
    expect((await tenant.get(`${path('plain')}?session_id=${reader}&session_id=${reader}`)).status).toBe(400);
  });

  it('is nothing to another tenant, nor to a key without the scope', async () => {
    await store(here, 'walled', 'mine');
    const stranger = await world.newTenant();
    expect((await stranger.get(path('walled'))).status).toBe(404);
    expect((await stranger.delete(path('walled'))).status).toBe(404);
    expect((await stranger.get('/v1/secrets')).body).toMatchObject({ secrets: [], count: 0 });
    await store(stranger, 'walled', 'theirs');
    expect((await here.get(path('walled'))).body).toMatchObject({ value: 'mine' });

    const { body } = await here.post<{ key: string }>('/v1/keys', { scopes: ['vault:read'] });
    const reader = new Client(here.url, body.key);
    expect((await reader.get(path('walled'))).status).toBe(200);
    expect((await reader.delete(path('walled'))).body).toMatchObject({ required: 'vault:write' });
    const { body: blind } = await here.post<{ key: string }>('/v1/keys', { scopes: ['audit:read', 'vault:write'] });
    expect((await new Client(here.url, blind.key).get(path('walled'))).body).toMatchObject({ required: 'vault:read' });
  });

  it('is listed with all others of its tenant, and in pages that lose none', async () => {
    const tenant = await world.newTenant();
    const names = Array.from({ length: 150 }, (_, i) => `name ${String(i).padStart(3, '0')}`);
    await times(150, (i) => store(tenant, names[i] ?? '', 'v'));
    // Clients of the contract have never heard of cursors.
    expect((await tenant.get('/v1/secrets')).body).toEqual({ secrets: names, count: 150, next_cursor: null });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Reply<{ secrets: string[]; next_cursor: string | null }> = await tenant.get(
        `/v1/secrets?limit=40${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.body.secrets);
      cursor = page.body.next_cursor;
      if (cursor !== null) expect((await here.get(`/v1/secrets?cursor=${cursor}`)).status).toBe(400);
    }
    expect(seen).toEqual(names);
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'cursor=x']) {
      expect((await tenant.get(`/v1/secrets?${query}`)).status).toBe(400);
    }
  });
});

describe('the name of a secret', () => {
  async function storeReadDelete(name: string): Promise<void> {
    const tenant = await world.newTenant();
    await store(tenant, name, `value of ${name}`);
    expect((await tenant.get(path(name))).body).toEqual({ name, value: `value of ${name}` });
    expect((await tenant.get('/v1/secrets')).body).toMatchObject({ secrets: [name] });
    expect((await tenant.delete(path(name))).body).toEqual({ deleted: true, name });
    expect((await tenant.get(path(name))).status).toBe(404);
  }

  it.each([
    'a/b/c',
    'a%2Fb',
    '100%',
    '%2e%2e',
    '..a',
    'a?b#c&d=e+f',
    ' ',
    'été',
    'e\u0301te\u0301',
    '日本語のキー',
    '👩‍👩‍👧‍👦',
    '__proto__',
    'C:\\keys\\"live";\'--',
  ])('may be %j', async (name) => {
    await storeReadDelete(name);
  });

  it('may have 255 characters of four bytes each', async () => {
    await storeReadDelete('🔑'.repeat(255));
    await storeReadDelete('x'.repeat(255));
    for (const name of ['🔑'.repeat(256), 'x'.repeat(256)]) {
      expect((await here.post('/v1/secrets', { name, value: 'v' })).body['error']).toMatch(/^name: /);
    }
  });

  it('may not be unprintable, a step in a path, or anything but a text', async () => {
    const names = ['', '.', '..', 'a\nb', 'tab\t', '\u007f', '\u0085', '\u2028', 'a\0b', '\ud800', 7, null, [], {}];
    for (const name of names) {
      const { status, body } = await here.post('/v1/secrets', { name, value: 'canary-value' });
      expect([name, status]).toEqual([name, 400]);
      expect(body['error']).toMatch(/^name: /);
      expect(JSON.stringify(body)).not.toContain('canary-value');
    }
  });

  it('is a 4xx when it cannot be one', async () => {
    for (const raw of ['%ED%A0%80', '%FF', '%00', '%', 'x'.repeat(3000), '%F0%9F%94%91'.repeat(600), 'a/b']) {
      for (const method of ['GET', 'DELETE']) {
        const { status } = await here.send(method, `/v1/secrets/${raw}`);
        expect([status, raw.slice(0, 20)]).toEqual([
          expect.toSatisfy((s: number) => s >= 400 && s < 500),
          raw.slice(0, 20),
        ]);
      }
    }
  });

  it('is needed, as is a text for the value', async () => {
    for (const [body, field] of [
      [{ value: 'canary-value' }, 'name'],
      [{ name: 'n' }, 'value'],
      [{ name: 'n', value: 12345678 }, 'value'],
      [{ name: 'n', value: { secret: 'canary-value' } }, 'value'],
      [{ name: 'n', value: null }, 'value'],
      [{ name: 'n', value: 'canary-value\0' }, 'value'],
      [{ name: 'n', value: 'canary-value', scope_required: '' }, 'scope_required'],
      [{ name: 'n', value: 'canary-value', scope_required: ['read'] }, 'scope_required'],
      [{ name: 'n', value: 'canary-value', scope_required: 'x'.repeat(129) }, 'scope_required'],
    ] as const) {
      const { status, body: answer } = await here.post('/v1/secrets', body);
      expect([status, String(answer['error']).split(':')[0]]).toEqual([400, field]);
      expect(JSON.stringify(answer)).not.toMatch(/canary-value|12345678/);
    }
  });
});

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

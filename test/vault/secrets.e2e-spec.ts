import { createHash } from 'node:crypto';
import { type AppProcess, Client, type Reply, sharedWorld, times, type World } from '@haldir/test-support';
import { path, store } from './secrets.js';

let world: World;
let here: Client;
let there: Client;
beforeAll(async () => {
  world = await sharedWorld();
  here = world.operator;
  there = here.at(world.apis[1] as AppProcess);
});

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
    const standing = { scope_required: 'read', expires_at: null, expired: false, bindings: [], created_at: expect.any(Number) }; // prettier-ignore
    expect((await tenant.get('/v1/secrets')).body).toEqual({
      secrets: ['empty', 'long', 'stripe'],
      details: [['empty', 1], ['long', 1], ['stripe', 2]].map(([name, version]) => ({ name, version, ...standing })),
      ...{ count: 3, next_cursor: null },
    }); // prettier-ignore

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
    expect((await stranger.get('/v1/secrets')).body).toMatchObject({ secrets: [], details: [], count: 0 });
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
    expect((await tenant.get('/v1/secrets')).body).toMatchObject({ secrets: names, count: 150, next_cursor: null });
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

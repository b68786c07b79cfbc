import {
  type AppProcess,
  Client,
  eventually,
  type Reply,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';

type Body = Record<string, unknown>;
interface Version {
  version: number;
  newest: boolean;
  expired: boolean;
  expires_at: number | null;
  scope_required: string;
}
interface Deleted {
  secret_id: string;
  name: string;
  versions: number;
}

const path = (name: string): string => `/v1/secrets/${encodeURIComponent(name)}`;
const inSeconds = (seconds: number): number => Math.round(Date.now() / 1000) + seconds;

let world: World;
let stranger: Client;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
  stranger = await world.newTenant();
});
afterAll(() => world.stop());

async function store(client: Client, name: string, value: string, more: Body = {}): Promise<Reply> {
  const reply = await client.post('/v1/secrets', { name, value, ...more });
  expect(reply.status).toBe(201);
  return reply;
}
async function versionsOf(client: Client, name: string, query = ''): Promise<Version[]> {
  const reply = await client.get<{ versions: Version[] }>(`${path(name)}/versions${query}`);
  expect(reply.status).toBe(200);
  return reply.body.versions;
}
async function deletedOf(client: Client, query = ''): Promise<Deleted[]> {
  const reply = await client.get<{ deleted: Deleted[] }>(`/v1/deleted-secrets${query}`);
  expect(reply.status).toBe(200);
  return reply.body.deleted;
}
async function entries(client: Client, action: string): Promise<Body[]> {
  const rows = await world.sql<{ details: string }>(
    'SELECT details FROM audit_entry WHERE tenant_id = $1 AND action = $2 ORDER BY seq',
    [await world.tenantOf(client), action],
  );
  return rows.map(({ details }) => JSON.parse(details) as Body);
}
/** A secret that is about to expire, and has. */
async function expired(client: Client, name: string): Promise<void> {
  await store(client, name, 'canary-short-lived', { expires_at: Date.now() / 1000 + 0.3 });
  await eventually(async () => expect((await client.get(path(name))).status).toBe(404));
}

describe('versions of a secret', () => {
  it('are kept, listed without values, and read one by one', async () => {
    const tenant = await world.newTenant();
    const name = 'a/b versions';
    for (const value of ['one', 'two', 'three']) await store(tenant, name, value);
    await store(tenant, name, 'four', { scope_required: 'pay' });

    const { body } = await tenant.get(`${path(name)}/versions`);
    expect(body).toMatchObject({ name, count: 4, next_cursor: null });
    expect(JSON.stringify(body)).not.toMatch(/one|two|three|four/);
    expect((await versionsOf(tenant, name)).map(({ version, newest }) => [version, newest])).toEqual([
      ...[[4, true], [3, false], [2, false], [1, false]], // prettier-ignore
    ]);
    for (const [i, value] of ['one', 'two', 'three', 'four'].entries()) {
      const elsewhere = tenant.at(world.apis[1] as AppProcess);
      expect((await elsewhere.get(`${path(name)}/versions/${i + 1}`)).body).toEqual({
        name,
        version: i + 1,
        value,
        expires_at: null,
      });
    }
    expect((await entries(tenant, 'secret_read')).map(({ version }) => version)).toEqual([1, 2, 3, 4]);

    for (const version of ['0', '5', '-1', '1.0', 'x', '999999999999', '%00']) {
      const { status } = await tenant.get(`${path(name)}/versions/${version}`);
      expect([version, [400, 404].includes(status)]).toEqual([version, true]);
    }
    expect((await tenant.get(`${path('no such')}/versions/1`)).status).toBe(404);
    expect((await tenant.get(`${path('no such')}/versions`)).status).toBe(404);
  });

  it('are listed in pages that lose none, whatever is stored meanwhile', async () => {
    const tenant = await world.newTenant();
    for (let i = 0; i < 7; i++) await store(tenant, 'paged', `v${i}`);
    const seen: number[] = [];
    let cursor = '';
    for (;;) {
      const { body }: Reply<{ versions: Version[]; next_cursor: string | null }> = await tenant.get(
        `${path('paged')}/versions?limit=3${cursor}`,
      );
      seen.push(...body.versions.map(({ version }) => version));
      if (body.next_cursor === null) break;
      await store(tenant, 'paged', 'newer');
      cursor = `&cursor=${body.next_cursor}`;
      expect((await tenant.get(`${path('other')}/versions?limit=3${cursor}`)).status).toBe(400);
      expect((await stranger.get(`${path('paged')}/versions?limit=3${cursor}`)).status).toBe(400);
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect((await tenant.get(`${path('paged')}/versions?limit=0`)).status).toBe(400);
  });

  it('ask a session for their own scope and for the newest one’s', async () => {
    const tenant = await world.newTenant();
    await store(tenant, 'raised', 'old', { scope_required: 'read' });
    await store(tenant, 'raised', 'new', { scope_required: 'pay' });
    const read = async (version: number, scopes: string[]): Promise<Reply> =>
      tenant.get(`${path('raised')}/versions/${version}`, { 'x-session-id': await tenant.session({ scopes }) });
    expect((await read(1, ['read'])).body).toMatchObject({ code: 'missing_scope', required: 'pay' });
    expect((await read(1, ['pay'])).body).toMatchObject({ code: 'missing_scope', required: 'read' });
    expect((await read(1, ['read', 'pay'])).body).toMatchObject({ value: 'old' });
    expect((await read(2, ['pay'])).body).toMatchObject({ value: 'new' });
    expect((await tenant.get(`${path('raised')}/versions/1`, { 'x-session-id': 'ses_none' })).status).toBe(401);
    expect(await entries(tenant, 'secret_read_denied')).toHaveLength(3);
  });

  it('are rolled back to by a new version, whose scope is not lowered', async () => {
    const tenant = await world.newTenant();
    await store(tenant, 'back', 'old', { scope_required: 'read' });
    await store(tenant, 'back', 'new', { scope_required: 'pay' });
    const rolled = await tenant.post(`${path('back')}/rollback`, { version: 1 });
    expect([rolled.status, rolled.body]).toEqual([
      201,
      { rolled_back: true, name: 'back', version: 3, from_version: 1, expires_at: null, bindings: [] },
    ]);
    expect((await tenant.get(path('back'))).body).toEqual({ name: 'back', value: 'old' });
    expect((await versionsOf(tenant, 'back'))[0]).toMatchObject({ version: 3, newest: true, scope_required: 'pay' });
    const reader = await tenant.session({ scopes: ['read'] });
    expect((await tenant.get(path('back'), { 'x-session-id': reader })).status).toBe(403);
    expect(await entries(tenant, 'secret_rolled_back')).toMatchObject([{ name: 'back', version: 3, from_version: 1 }]);

    const racing = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        tenant
          .at(world.apis[i % 2] as AppProcess)
          .post(`${path('back')}/rollback`, { version: 2 }, { 'idempotency-key': 'r' }),
      ),
    );
    expect(new Set(racing.map(({ status, body }) => `${status} ${String(body['version'])}`))).toEqual(
      new Set(['201 4']),
    );
    expect((await tenant.get(path('back'))).body).toMatchObject({ value: 'new' });

    for (const version of [0, 1.5, '1', null, undefined, 99_999_999_999]) {
      expect((await tenant.post(`${path('back')}/rollback`, { version })).body['error']).toMatch(/^version: /);
    }
    expect((await tenant.post(`${path('back')}/rollback`, { version: 9 })).status).toBe(404);
    expect((await tenant.post(`${path('none')}/rollback`, { version: 1 })).status).toBe(404);
    expect((await tenant.get(path('back'))).body).toMatchObject({ value: 'new' });
  });

  it('are nothing to another tenant, nor to a key without the scope', async () => {
    const tenant = await world.newTenant();
    await store(tenant, 'walled', 'v');
    for (const [method, route, body] of [
      ['GET', '/versions', undefined],
      ['GET', '/versions/1', undefined],
      ['POST', '/rollback', { version: 1 }],
    ] as const) {
      expect([route, (await stranger.send(method, path('walled') + route, body)).status]).toEqual([route, 404]);
    }
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['audit:read'] });
    const blind = new Client(tenant.url, body.key);
    expect((await blind.get(`${path('walled')}/versions`)).body).toMatchObject({ required: 'vault:read' });
    expect((await blind.get(`${path('walled')}/versions/1`)).body).toMatchObject({ required: 'vault:read' });
    expect((await blind.post(`${path('walled')}/rollback`, { version: 1 })).body).toMatchObject({
      required: 'vault:write',
    });
  });
});

describe('a secret with an expiry', () => {
  it('is refused from then on, by name and by version, and says so', async () => {
    const tenant = await world.newTenant();
    const at = inSeconds(3600);
    expect((await store(tenant, 'later', 'v', { expires_at: at })).body).toMatchObject({ expires_at: at });
    expect((await tenant.get(path('later'))).body).toEqual({ name: 'later', value: 'v' });
    const iso = new Date(at * 1000).toISOString();
    expect((await store(tenant, 'later', 'v', { expires_at: iso })).body).toMatchObject({ expires_at: at });

    await expired(tenant, 'short');
    for (const route of [path('short'), `${path('short')}/versions/1`]) {
      const { status, body } = await tenant.get(route);
      expect([status, body['code'], typeof body['expired_at']]).toEqual([404, 'secret_expired', 'number']);
      expect(JSON.stringify(body)).not.toContain('canary');
    }
    expect((await versionsOf(tenant, 'short'))[0]).toMatchObject({ expired: true, newest: true });
    expect((await tenant.post(`${path('short')}/rollback`, { version: 1 })).body).toMatchObject({
      code: 'secret_expired',
    });
    const denied = await entries(tenant, 'secret_read_denied');
    expect(denied.length).toBeGreaterThanOrEqual(3);
    expect(denied[0]).toMatchObject({ name: 'short', reason: 'expired', version: 1 });
    // Without the scope a session does not learn that it expired.
    const session = await tenant.session({ scopes: [] });
    expect((await tenant.get(path('short'), { 'x-session-id': session })).status).toBe(403);

    await store(tenant, 'short', 'fresh');
    expect((await tenant.get(path('short'))).body).toMatchObject({ value: 'fresh' });
    expect((await tenant.get(`${path('short')}/versions/1`)).body).toMatchObject({ code: 'secret_expired' });
  });

  it('keeps it when it is rolled back to', async () => {
    const tenant = await world.newTenant();
    const at = inSeconds(600);
    await store(tenant, 'lease', 'leased', { expires_at: at });
    await store(tenant, 'lease', 'for ever');
    expect((await tenant.post(`${path('lease')}/rollback`, { version: 1 })).body).toMatchObject({ expires_at: at });
    expect((await tenant.get(path('lease'))).body).toMatchObject({ value: 'leased' });
  });

  it('does not open when it was given another one in the database', async () => {
    const tenant = await world.newTenant();
    await expired(tenant, 'revived');
    await store(tenant, 'kept', 'v');
    const id = await world.tenantOf(tenant);
    for (const expiresAt of [`'2099-01-01'`, 'NULL']) {
      await world.sql(
        `UPDATE secret_version SET expires_at = ${expiresAt} WHERE tenant_id = $1 AND secret_id = (SELECT id FROM secret WHERE tenant_id = $1 AND name = 'revived')`,
        [id],
      );
      const { status, body } = await tenant.get(path('revived'));
      expect([status, body['code'], body['value']]).toEqual([404, 'not_found', undefined]);
    }
    await world.sql(`UPDATE secret_version SET expires_at = '2099-01-01' WHERE tenant_id = $1`, [id]);
    expect((await tenant.get(path('kept'))).status).toBe(404);
  });

  it('names a time to come', async () => {
    for (const expires_at of [0, inSeconds(-1), '2020-01-01T00:00:00Z', 'tomorrow', true, {}, -5, 1e300, '']) {
      const { status, body } = await stranger.post('/v1/secrets', { name: 'n', value: 'canary', expires_at });
      expect([expires_at, status, String(body['error']).split(':')[0]]).toEqual([expires_at, 400, 'expires_at']);
    }
    expect((await stranger.get(path('n'))).status).toBe(404);
    await store(stranger, 'n', 'v', { expires_at: null });
  });
});

describe('a deleted secret', () => {
  it('is out of sight at once and can be brought back whole', async () => {
    const tenant = await world.newTenant();
    const elsewhere = tenant.at(world.apis[1] as AppProcess);
    await store(tenant, 'gone', 'one');
    await store(tenant, 'gone', 'two');
    expect((await tenant.delete(path('gone'))).body).toEqual({ deleted: true, name: 'gone' });
    for (const route of ['', '/versions', '/versions/1']) {
      expect((await elsewhere.get(path('gone') + route)).status).toBe(404);
    }
    expect((await elsewhere.post(`${path('gone')}/rollback`, { version: 1 })).status).toBe(404);
    expect((await elsewhere.get('/v1/secrets')).body).toMatchObject({ secrets: [] });

    const [found] = await deletedOf(elsewhere);
    expect(found).toEqual({
      secret_id: expect.stringMatching(/^sec_/),
      name: 'gone',
      versions: 2,
      deleted_at: expect.any(Number),
      restorable_until: expect.any(Number),
    });
    const restored = await elsewhere.post(`/v1/deleted-secrets/${found?.secret_id}/restore`);
    expect([restored.status, restored.body]).toEqual([
      200,
      { restored: true, secret_id: found?.secret_id, name: 'gone', version: 2 },
    ]);
    expect((await tenant.get(path('gone'))).body).toEqual({ name: 'gone', value: 'two' });
    expect((await tenant.get(`${path('gone')}/versions/1`)).body).toMatchObject({ value: 'one' });
    expect(await deletedOf(tenant)).toEqual([]);
    expect((await tenant.post(`/v1/deleted-secrets/${found?.secret_id}/restore`)).status).toBe(404);
    expect(await entries(tenant, 'secret_deleted')).toMatchObject([{ name: 'gone', secret_id: found?.secret_id }]);
    expect(await entries(tenant, 'secret_restored')).toMatchObject([{ name: 'gone', version: 2 }]);
  });

  it('leaves its name to others, and comes back when they are gone', async () => {
    const tenant = await world.newTenant();
    const ids: string[] = [];
    for (const value of ['first', 'second', 'third']) {
      expect((await store(tenant, 'reused', value)).body).toMatchObject({ version: 1 });
      await tenant.delete(path('reused'));
      ids.unshift((await deletedOf(tenant))[0]?.secret_id ?? '');
    }
    await store(tenant, 'other', 'v');
    await tenant.delete(path('other'));
    expect((await deletedOf(tenant, '?name=reused')).map(({ secret_id }) => secret_id)).toEqual(ids);
    const pages: Reply<{ deleted: Deleted[]; next_cursor: string }>[] = [
      await tenant.get('/v1/deleted-secrets?name=reused&limit=2'),
    ];
    pages.push(
      await tenant.get(`/v1/deleted-secrets?name=reused&limit=2&cursor=${String(pages[0]?.body.next_cursor)}`),
    );
    expect(pages.flatMap(({ body }) => body.deleted.map(({ secret_id }) => secret_id))).toEqual(ids);
    expect((await tenant.get(`/v1/deleted-secrets?cursor=${pages[0]?.body.next_cursor}`)).status).toBe(400);

    const restore = (id?: string): Promise<Reply> => tenant.post(`/v1/deleted-secrets/${id}/restore`);
    const raced = await Promise.all(ids.map(restore));
    expect(raced.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(raced.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'name_taken' });
    await tenant.delete(path('reused'));
    expect((await restore(ids[2])).status).toBe(200);
    expect((await tenant.get(path('reused'))).body).toMatchObject({ value: 'first' });
  });

  it('is nothing to another tenant, nor to a key without the scope', async () => {
    const tenant = await world.newTenant();
    await store(tenant, 'walled', 'v');
    await tenant.delete(path('walled'));
    const [found] = await deletedOf(tenant);
    const route = `/v1/deleted-secrets/${found?.secret_id}`;
    expect((await deletedOf(stranger)).filter(({ name }) => name === 'walled')).toEqual([]);
    expect((await stranger.post(`${route}/restore`)).status).toBe(404);
    expect((await stranger.delete(route)).status).toBe(404);
    const { body } = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['vault:read'] });
    const reader = new Client(tenant.url, body.key);
    expect((await reader.get('/v1/deleted-secrets')).status).toBe(200);
    expect((await reader.post(`${route}/restore`)).body).toMatchObject({ required: 'vault:write' });
    expect((await reader.delete(route)).body).toMatchObject({ required: 'vault:write' });
    for (const id of ['nothing', '%00', 'x'.repeat(1000)]) {
      for (const reply of [
        await tenant.post(`/v1/deleted-secrets/${id}/restore`),
        await tenant.delete(`/v1/deleted-secrets/${id}`),
      ]) {
        expect([400, 404]).toContain(reply.status);
      }
    }
    expect((await tenant.post(`${route}/restore`)).status).toBe(200);
  });

  it('is destroyed on request, or when its time is over, as are values that expired', async () => {
    const tenant = await world.newTenant();
    const id = await world.tenantOf(tenant);
    const rows = async (): Promise<unknown> =>
      (
        await world.sql(
          `SELECT (SELECT count(*)::integer FROM secret WHERE tenant_id = $1) AS secrets,
                  (SELECT count(*)::integer FROM secret_version WHERE tenant_id = $1 AND value <> '') AS values`,
          [id],
        )
      )[0];
    for (const name of ['asked', 'overdue', 'not yet']) {
      await store(tenant, name, 'v');
      await tenant.delete(path(name));
    }
    await expired(tenant, 'worn');
    expect(await rows()).toEqual({ secrets: 4, values: 4 });

    const [notYet, , asked] = await deletedOf(tenant);
    const purged = await tenant.delete(`/v1/deleted-secrets/${asked?.secret_id}`);
    expect(purged.body).toEqual({ purged: true, secret_id: asked?.secret_id, name: 'asked' });
    expect(await rows()).toEqual({ secrets: 3, values: 3 });
    expect((await tenant.post(`/v1/deleted-secrets/${asked?.secret_id}/restore`)).status).toBe(404);

    await world.sql(
      `UPDATE secret SET purge_at = now() - interval '1 second' WHERE tenant_id = $1 AND deleted_name = 'overdue'`,
      [id],
    );
    // From then on it is out of reach, whether or not the worker was there.
    expect((await deletedOf(tenant)).map(({ name }) => name)).toEqual(['not yet']);
    await world.sql(
      `UPDATE secret_version SET expires_at = now() - interval '2 hours' WHERE tenant_id = $1 AND expires_at IS NOT NULL`,
      [id],
    );
    const worker = await startWorker(world.environment);
    try {
      await eventually(async () => expect(await rows()).toEqual({ secrets: 2, values: 1 }), 20_000);
      await eventually(async () => expect(await entries(tenant, 'secret_purged')).toHaveLength(2));
      expect(await entries(tenant, 'secret_purged')).toMatchObject([{ name: 'asked' }, { name: 'overdue' }]);
      expect(await entries(tenant, 'secret_expired')).toMatchObject([{ name: 'worn', version: 1 }]);
    } finally {
      await worker.stop();
    }
    expect((await tenant.get(path('worn'))).body).toMatchObject({ code: 'secret_expired' });
    expect((await tenant.post(`/v1/deleted-secrets/${notYet?.secret_id}/restore`)).status).toBe(200);
    expect((await tenant.get(path('not yet'))).body).toMatchObject({ value: 'v' });
  });
});

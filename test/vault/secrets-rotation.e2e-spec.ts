import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type AppProcess, cli, type Client, startApi, startCli, startWorld, type World } from '@haldir/test-support';
import { Client as Postgres } from 'pg';

const TENANTS = 4;
const SECRETS = Number(process.env['HALDIR_TEST_ROTATION_SECRETS'] ?? 2000);
const KILLS = 5;
const root = (id: number): string => `${id}:${Buffer.alloc(32, id).toString('base64url')}`;

interface Tenant {
  client: Client;
  id: string;
  webhook: { id: number; secret: string };
}

let world: World;
let tenants: Tenant[];
let extra: AppProcess[] = [];
beforeAll(async () => {
  world = await startWorld({ processes: 2, environment: { HALDIR_ROOT_KEYS: root(1) } });
  tenants = await Promise.all(Array.from({ length: TENANTS }, newTenant));
  await inParallel(SECRETS, 16, (i) => put(tenantOf(i), `s${i}`, valueOf(i)));
  for (const { client } of tenants) await put(client, 'held', 'held');
}, 300_000);
afterAll(async () => {
  await Promise.all(extra.map((app) => app.stop()));
  await world.stop();
});

const tenantOf = (i: number): Client => (tenants[i % TENANTS] as Tenant).client;
const valueOf = (i: number): string => `value ${i} ${'x'.repeat(i % 50)}`;

async function newTenant(): Promise<Tenant> {
  const client = await world.newTenant();
  const { body } = await client.post<{ webhook_id: number; secret: string }>('/v1/webhooks', {
    url: 'http://127.0.0.1:9999/hook',
  });
  // Its log has a key by now.
  expect((await client.get('/v1/audit/tree-head')).status).toBe(200);
  return { client, id: await world.tenantOf(client), webhook: { id: body.webhook_id, secret: body.secret } };
}

async function put(client: Client, name: string, value: string): Promise<void> {
  const { status } = await client.post('/v1/secrets', { name, value });
  if (status !== 201) throw new Error(`no secret: ${status}`);
}

async function inParallel(count: number, width: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let i = next++; i < count; i = next++) await work(i);
    }),
  );
}

/** Reads and writes of all kinds at two processes, until it is stopped; answers what was not as it should be. */
function startLoad(apis: AppProcess[]): { stop(): Promise<{ requests: number; faults: string[] }> } {
  let stopping = false;
  let requests = 0;
  const faults: string[] = [];
  const expectStatus = (
    what: string,
    reply: { status: number; body: Record<string, unknown> },
    wanted: number,
  ): void => {
    requests++;
    if (reply.status !== wanted) faults.push(`${what}: ${reply.status} ${JSON.stringify(reply.body)}`);
  };
  const workers = Array.from({ length: 8 }, async (_, worker) => {
    for (let turn = worker; !stopping; turn++) {
      const i = Math.floor(Math.random() * SECRETS);
      const client = tenantOf(i).at(apis[turn % 2] as AppProcess);
      const read = await client.get(`/v1/secrets/s${i}`);
      expectStatus('read', read, 200);
      if (read.body['value'] !== valueOf(i)) faults.push(`s${i} is not what was stored`);
      // What only this worker writes.
      const mine = `w${worker}-${turn % 3}`;
      const wrote = `mine ${turn}`;
      expectStatus('store', await client.post('/v1/secrets', { name: mine, value: wrote }), 201);
      const again = await client.get(`/v1/secrets/${mine}`);
      if (again.body['value'] !== wrote) faults.push(`${mine} is not what was just stored: ${again.status}`);
      const first = await client.get(`/v1/secrets/${mine}/versions/1`);
      expectStatus('version', first, 200);
      expectStatus('rollback', await client.post(`/v1/secrets/${mine}/rollback`, { version: 1 }), 201);
      const back = await client.get(`/v1/secrets/${mine}`);
      if (back.body['value'] !== first.body['value']) faults.push(`${mine} was rolled back to something else`);
      if (worker === 0) {
        const { id } = (tenants[turn % TENANTS] as Tenant).webhook;
        const owner = (tenants[turn % TENANTS] as Tenant).client.at(apis[turn % 2] as AppProcess);
        const rotated = await owner.post(`/v1/webhooks/${id}/rotate-secret`);
        expectStatus('webhook secret', rotated, 200);
        const { webhook } = tenants[turn % TENANTS] as Tenant;
        if (rotated.body['secret_prev'] !== webhook.secret) faults.push('the secret of a webhook is another one');
        webhook.secret = String(rotated.body['secret']);
      }
      if (worker === 1) {
        expectStatus('webhook', await client.post('/v1/webhooks', { url: 'http://127.0.0.1:9999/other' }), 201);
        await pause(100);
      }
    }
  });
  return {
    stop: async () => {
      stopping = true;
      await Promise.all(workers);
      return { requests, faults };
    },
  };
}

/** Values by the version of the key that they are under, of all tables. */
async function valuesUnder(): Promise<Record<string, number>> {
  const rows = await world.sql<{ version: string; count: number }>(
    `SELECT encode(substr(sealed, 2, 4), 'hex') AS version, count(*)::integer AS count FROM (
       SELECT wrapped_key AS sealed FROM secret_version UNION ALL SELECT secret FROM webhook UNION ALL
       SELECT secret_prev FROM webhook WHERE secret_prev IS NOT NULL UNION ALL SELECT seed FROM audit_log_key) AS s GROUP BY 1`,
  );
  return Object.fromEntries(rows.map(({ version, count }) => [String(parseInt(version, 16)), count]));
}
const keyStates = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await world.sql<{ state: string; count: number }>(
        'SELECT state, count(*)::integer AS count FROM tenant_key GROUP BY 1',
      )
    ).map(({ state, count }) => [state, count]),
  );
const digestOfValues = async (): Promise<unknown> =>
  (
    await world.sql(
      `SELECT md5(string_agg(encode(v.value, 'hex'), ',' ORDER BY v.tenant_id, v.secret_id)) AS digest
         FROM secret_version v JOIN secret s ON s.tenant_id = v.tenant_id AND s.id = v.secret_id WHERE s.name ~ '^s\\d+$'`,
    )
  )[0];
async function everySecretReads(app: AppProcess): Promise<void> {
  await inParallel(SECRETS, 16, async (i) => {
    const { body } = await tenantOf(i).at(app).get(`/v1/secrets/s${i}`);
    if (body['value'] !== valueOf(i)) throw new Error(`s${i} reads ${JSON.stringify(body)}`);
  });
}

describe('a rotation of tenant keys', () => {
  it('that is killed again and again, under load, loses nothing and fails no request', async () => {
    const before = await digestOfValues();
    const load = startLoad(world.apis);
    // Somebody holds a value of each tenant, so that no run gets to its end.
    const holder = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query(
      `SELECT 1 FROM secret_version v JOIN secret s ON s.tenant_id = v.tenant_id AND s.id = v.secret_id WHERE s.name = 'held' FOR UPDATE OF v`,
    );
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, ended } = startCli(world.environment, 'keys', 'rotate-tenant');
      // The first kills come while it moves values, the last ones while it waits.
      for (let waited = 0; waited < 3_000; waited++) {
        const moved = (await valuesUnder())['2'] ?? 0;
        if (moved > kill * 100 || child.exitCode !== null) break;
        await pause(10);
      }
      await pause(kill * 50);
      child.kill('SIGKILL');
      expect((await ended).code).toBe(null);
    }
    const between = await valuesUnder();
    expect([between['1'], between['2']].map((count) => (count ?? 0) > 0)).toEqual([true, true]);
    const status = await cli(world.environment, 'keys', 'status', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ unfinished: [{ scope: '*' }] });
    await holder.query('COMMIT');
    await holder.end();

    const finished = await cli(world.environment, 'keys', 'rotate-tenant');
    expect([finished.code, finished.stderr]).toEqual([0, '']);
    expect(finished.stdout).toMatch(/^Finished what was begun before: \d+ tenants, \d+ values sealed anew\.\n$/);
    // No process was told, and each seals under the new key at once: what was written since is under it, too.
    expect(Object.keys(await valuesUnder())).toEqual(['2']);
    await pause(300);
    expect(Object.keys(await valuesUnder())).toEqual(['2']);
    const { requests, faults } = await load.stop();
    expect(faults).toEqual([]);
    expect(requests).toBeGreaterThan(100);
    // With the operator's own tenant.
    expect(await keyStates()).toEqual({ active: TENANTS + 1, retired: TENANTS + 1 });
    expect(await world.sql(`SELECT 1 FROM tenant_key WHERE state = 'retired' AND wrapped <> ''`)).toEqual([]);
    expect(await digestOfValues()).toEqual(before);
    await everySecretReads(world.apis[1] as AppProcess);
    for (const { id } of tenants) {
      expect(
        await world.sql(`SELECT details FROM audit_entry WHERE tenant_id = $1 AND action = 'tenant_key_rotated'`, [id]),
      ).toEqual([{ details: '{"version":2}' }]);
    }
  }, 240_000);

  it('of one tenant leaves the others as they are, and each run is one of its own', async () => {
    const [one] = tenants;
    const rotated = await cli(world.environment, 'keys', 'rotate-tenant', '--tenant', one?.id ?? '');
    expect([rotated.code, rotated.stdout]).toEqual([0, expect.stringMatching(/^Rotated: 1 tenants, \d+ values/)]);
    expect(
      await world.sql(
        `SELECT count(*)::integer AS keys, max(version) AS newest FROM tenant_key WHERE tenant_id <> $1`,
        [one?.id],
      ),
    ).toEqual([{ keys: 2 * TENANTS, newest: 2 }]);
    // Two at once: the second waits, or says that it is not its turn.
    const racing = await Promise.all(
      [1, 2].map(() => cli(world.environment, 'keys', 'rotate-tenant', '--tenant', one?.id ?? '')),
    );
    expect(racing.every(({ code }) => code === 0 || code === 75)).toBe(true);
    expect(racing.some(({ code }) => code === 0)).toBe(true);
    expect((await keyStates())['active']).toBe(TENANTS + 1);
    await everySecretReads(world.apis[0] as AppProcess);
  }, 120_000);

  it('names what does not open, leaves it, and gives up no key that it is under', async () => {
    const [, , , odd] = tenants;
    await put((odd as Tenant).client, 'odd', 'v');
    const at = `tenant_id = '${odd?.id}' AND secret_id = (SELECT id FROM secret WHERE tenant_id = '${odd?.id}' AND name = 'odd')`;
    await world.sql(
      `UPDATE secret_version SET wrapped_key = set_byte(wrapped_key, 20, get_byte(wrapped_key, 20) # 1) WHERE ${at}`,
    );
    const rotate = () => cli(world.environment, 'keys', 'rotate-tenant', '--tenant', odd?.id ?? '');
    const first = await rotate();
    expect([first.code, first.stderr]).toEqual([
      1,
      expect.stringMatching(/^haldir: does not open, left as it is: secret_version\.wrapped_key of tnt_\w+, secret_id sec_\w+, version 1\n$/),
    ]); // prettier-ignore
    expect((await keyStates())['decrypt_only']).toBe(1);
    await world.sql(
      `UPDATE secret_version SET wrapped_key = set_byte(wrapped_key, 20, get_byte(wrapped_key, 20) # 1) WHERE ${at}`,
    );
    expect((await rotate()).code).toBe(0);
    expect((await keyStates())['decrypt_only']).toBeUndefined();
    expect((await (odd as Tenant).client.get('/v1/secrets/odd')).body).toMatchObject({ value: 'v' });
  }, 120_000);
});

describe('a rotation of the root key', () => {
  it('under load fails no request, and the old key can be taken away', async () => {
    const both = { ...world.environment, HALDIR_ROOT_KEYS: `${root(2)},${root(1)}` };
    const apis = await Promise.all([startApi(both), startApi(both)]);
    extra = apis;
    const load = startLoad(apis);
    const killed = startCli(both, 'keys', 'rotate-root');
    await pause(400);
    killed.child.kill('SIGKILL');
    if (killed.child.exitCode === null && killed.child.signalCode === null) await once(killed.child, 'close');
    const rotated = await cli(both, 'keys', 'rotate-root');
    expect([rotated.code, rotated.stderr]).toEqual([0, '']);
    expect(rotated.stdout).toMatch(/^Wrapped \d+ keys under root key 2\.\nNo other root key is needed any more\.\n$/);
    expect((await cli(both, 'keys', 'rotate-root')).stdout).toMatch(/^Wrapped 0 keys under root key 2\.\n/);
    expect((await cli(both, 'keys', 'rotate-tenant')).code).toBe(0);
    const { requests, faults } = await load.stop();
    expect(faults).toEqual([]);
    expect(requests).toBeGreaterThan(20);

    const alone = { ...world.environment, HALDIR_ROOT_KEYS: root(2) };
    const app = await startApi(alone);
    extra.push(app);
    await everySecretReads(app);
    for (const { client, webhook } of tenants) {
      const rotation = await client.at(app).post(`/v1/webhooks/${webhook.id}/rotate-secret`);
      expect([rotation.status, rotation.body['secret_prev']]).toEqual([200, webhook.secret]);
      webhook.secret = String(rotation.body['secret']);
      expect((await client.at(app).get('/v1/audit/verify')).body).toMatchObject({ verified: true });
      expect((await client.at(app).get('/v1/audit/tree-head')).status).toBe(200);
    }
    await expect(startApi(world.environment)).rejects.toThrow('HALDIR_ROOT_KEYS lacks key 2, under which');
    const status = await cli(alone, 'keys', 'status');
    expect(status.stdout).toMatch(
      /^root key 2: needed by \d+ keys\ntenant keys: 5 active, 0 that only open, \d+ retired\n/,
    );
  }, 240_000);

  it('is for those who have the right keys and the right role', async () => {
    const as = (settings: Record<string, string>, ...args: string[]) =>
      cli({ ...world.environment, ...settings }, ...args);
    const wrong = await as(
      { HALDIR_ROOT_KEYS: `2:${Buffer.alloc(32, 9).toString('base64url')}` },
      'keys',
      'rotate-root',
    );
    expect([wrong.code, wrong.stderr]).toEqual([
      78,
      expect.stringMatching(/^haldir: HALDIR_ROOT_KEYS has a wrong key 2: .*\n$/),
    ]);
    const missing = await as({ HALDIR_ROOT_KEYS: root(3) }, 'keys', 'rotate-tenant');
    expect([missing.code, missing.stderr]).toEqual([
      78,
      expect.stringMatching(/^haldir: HALDIR_ROOT_KEYS lacks key 2, .*\n$/),
    ]);
    const guest = await as(
      { HALDIR_ROOT_KEYS: root(2), DATABASE_OWNER_URL: world.environment['DATABASE_URL'] ?? '' },
      ...['keys', 'rotate-tenant'],
    );
    expect([guest.code, guest.stderr]).toEqual([
      78,
      expect.stringContaining('DATABASE_OWNER_URL should name the role that owns'),
    ]);
    for (const args of [['--tenant', '*'], ['--tenant', 'tnt_nobody'], ['--nonsense'], ['extra']]) {
      expect((await as({ HALDIR_ROOT_KEYS: root(2) }, 'keys', 'rotate-tenant', ...args)).code).toBe(64);
    }
    for (const command of ['status', 'rotate-root', 'rotate-tenant']) {
      const help = await as({}, 'keys', command, '--help');
      expect([help.code, help.stdout]).toEqual([
        0,
        expect.stringMatching(new RegExp(`^Usage: haldir keys ${command}`)),
      ]);
    }
  }, 60_000);
});

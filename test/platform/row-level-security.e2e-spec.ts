import { startWorker, startWorld, type Client, type World } from '@haldir/test-support';
import { Client as Postgres } from 'pg';

let world: World;
let tenants: { client: Client; id: string }[];
beforeAll(async () => {
  world = await startWorld();
  tenants = await Promise.all(
    [0, 1].map(async () => {
      const client = await world.newTenant();
      const session = await client.session({ scopes: ['read', 'execute', 'spend:10'] });
      await client.post('/v1/secrets', { name: 's', value: 'v' });
      await client.post('/v1/payments/authorize', { session_id: session, amount: 1 });
      await client.post('/v1/audit', { session_id: session, action: 'a', tool: 't', cost_usd: 500 });
      await client.post('/v1/approvals/rules', { type: 'spend_over', threshold: 5 });
      await client.post('/v1/approvals/request', { session_id: session, action: 'a' });
      await client.post('/v1/webhooks', { url: 'http://127.0.0.1:9/hook' });
      await client.post('/v1/proxy/policies', { type: 'block_tool', tool: 't' });
      await client.post('/v1/keys', {}, { 'idempotency-key': 'k' });
      const { body } = await client.get<{ tenant_id: string }>('/v1/audit/tree-head');
      return { client, id: body.tenant_id };
    }),
  );
});
afterAll(() => world.stop());

async function as<T>(role: 'api' | 'worker' | 'owner', work: (db: Postgres) => Promise<T>): Promise<T> {
  const setting = { api: 'DATABASE_URL', worker: 'WORKER_DATABASE_URL', owner: 'DATABASE_OWNER_URL' }[role];
  const db = new Postgres({ connectionString: world.environment[setting] });
  await db.connect();
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}

const tell = (db: Postgres, setting: string): Promise<unknown> =>
  db.query(`SELECT set_config('haldir.tenants', $1, false)`, [setting]);

/** Every table of Haldir's that has a column for the tenant. */
async function tenantTables(): Promise<{ name: string; column: string }[]> {
  return as('owner', async (db) => {
    const { rows } = await db.query<{ name: string; column: string }>(
      `SELECT table_name AS name, min(column_name) AS column FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND (column_name = 'tenant_id' OR (table_name = 'tenant' AND column_name = 'id')) GROUP BY 1`,
    );
    return rows;
  });
}

async function count(
  db: Postgres,
  { name, column }: { name: string; column: string },
): Promise<Record<string, number>> {
  const { rows } = await db.query<{ tenant: string; rows: number }>(
    `SELECT ${column} AS tenant, count(*)::integer AS rows FROM ${name} GROUP BY 1`,
  );
  return Object.fromEntries(rows.map((row) => [row.tenant, row.rows]));
}

describe('the database', () => {
  it('has a wall around every table that holds rows of tenants', async () => {
    const tables = await tenantTables();
    expect(tables.length).toBeGreaterThan(30);
    const { rows } = await as('owner', (db) =>
      db.query<{ relname: string }>(
        `SELECT relname FROM pg_class c WHERE relrowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)`,
      ),
    );
    const walled = rows.map(({ relname }) => relname);
    expect(tables.map(({ name }) => name).filter((name) => !walled.includes(name))).toEqual([]);
  });

  it('shows the API’s role nothing until it is told a tenant, and then that tenant alone', async () => {
    const [one, other] = tenants;
    const tables = await tenantTables();
    let seen = 0;
    await as('api', async (db) => {
      for (const table of tables) expect(await count(db, table)).toEqual({});
      await tell(db, `{"${one?.id}"}`);
      for (const table of tables) {
        const found = Object.keys(await count(db, table));
        expect(found.filter((tenant) => tenant !== one?.id)).toEqual([]);
        seen += found.length;
      }
      await tell(db, `{"${one?.id}","${other?.id}"}`);
      expect(Object.keys(await count(db, { name: 'session', column: 'tenant_id' })).sort()).toEqual(
        [one?.id, other?.id].sort(),
      );
      // All of them at once are for the worker.
      await tell(db, '*');
      for (const table of tables) expect(await count(db, table)).toEqual({});
    });
    expect(seen).toBeGreaterThan(20);
    await as('worker', async (db) => {
      await tell(db, '*');
      expect(Object.keys(await count(db, { name: 'session', column: 'tenant_id' })).length).toBeGreaterThanOrEqual(2);
    });
  });

  it('lets the API’s role write no row of a tenant it was not told of', async () => {
    const [one, other] = tenants;
    await as('api', async (db) => {
      await tell(db, `{"${one?.id}"}`);
      const insert = `INSERT INTO payment_total (tenant_id, scope, subject, agent_id, payments, usd_micros) VALUES ($1, 'agent', 'x', 'x', 0, 0)`;
      await expect(db.query(insert, [other?.id])).rejects.toThrow(/row-level security/);
      expect((await db.query('UPDATE session SET spent_micros = 0 WHERE tenant_id = $1', [other?.id])).rowCount).toBe(
        0,
      );
      expect((await db.query('DELETE FROM secret WHERE tenant_id = $1', [other?.id])).rowCount).toBe(0);
      for (const call of [
        `audit_rollup_advance($1, 1)`,
        `audit_apply_rules($1)`,
        `audit_tree_lock(ARRAY[$1], true)`,
        `audit_erase_details($1, 'aud_x')`,
        `audit_tile_grow($1, 0, 0, '')`,
        `audit_append(ARRAY[$1], '{a}', '{agent}', '{s}', '{a}', '{t}', '{a}', '{0}', '{0}', '{NULL}', '{NULL}', '{NULL}', '{00}', '{NULL}')`,
      ]) {
        await expect(db.query(`SELECT ${call}`, [other?.id])).rejects.toThrow(/outside the wall/);
      }
    });
  });

  it('lets neither app change, remove or truncate what is in the log', async () => {
    const log = [
      'audit_entry',
      'audit_head',
      'audit_tile',
      'audit_tree',
      'audit_checkpoint',
      'audit_rollup',
      'audit_agent',
    ];
    for (const role of ['api', 'worker'] as const) {
      await as(role, async (db) => {
        await tell(db, `{"${tenants[0]?.id}"}`);
        for (const table of log) {
          await expect(db.query(`UPDATE ${table} SET tenant_id = tenant_id`)).rejects.toThrow(/permission denied/);
          await expect(db.query(`DELETE FROM ${table}`)).rejects.toThrow(/permission denied/);
          await expect(db.query(`TRUNCATE ${table}`)).rejects.toThrow(/permission denied/);
          await expect(db.query(`INSERT INTO ${table} DEFAULT VALUES`)).rejects.toThrow(/permission denied/);
        }
        await expect(db.query('ALTER TABLE audit_entry DISABLE TRIGGER ALL')).rejects.toThrow(/must be owner/);
        await expect(db.query('SET session_replication_role = replica')).rejects.toThrow(/permission denied/);
        await expect(db.query('ALTER TABLE session DISABLE ROW LEVEL SECURITY')).rejects.toThrow(/must be owner/);
      });
    }
  });

  it('never lets a tree go back, or beyond its log', async () => {
    const tenant = tenants[0]?.id;
    await as('worker', async (db) => {
      await tell(db, `{"${tenant}"}`);
      const extend = (size: number) =>
        db.query(
          `SELECT audit_tree_extend(ARRAY[$1], ARRAY[$2::bigint], ARRAY[$3::bytea], ARRAY[''::bytea], ARRAY[''::bytea], now(), ARRAY[''::bytea], ARRAY[''])`,
          [tenant, size, Buffer.alloc(32)],
        );
      await expect(extend(1)).rejects.toThrow('a tree grows with its log');
      await expect(extend(1024)).rejects.toThrow('a tree grows with its log');
    });
  });

  it('has no function that runs as the owner and looks for names where its caller says', async () => {
    const { rows } = await as('owner', (db) =>
      db.query<{ proname: string; proconfig: string[] | null }>(
        `SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace`,
      ),
    );
    expect(rows.length).toBeGreaterThan(8);
    for (const { proconfig } of rows)
      expect(proconfig?.some((setting) => setting.startsWith('search_path='))).toBe(true);
  });

  it('lets the worker do its work from behind the wall', async () => {
    const worker = await startWorker(world.environment);
    const log = worker.output;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await worker.stop()).toBe(0);
    expect(log()).not.toMatch(/permission denied|row-level security|outside the wall/);
  });
});

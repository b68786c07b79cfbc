import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { type Transactions } from '@haldir/database';
import { haldirActor } from '@haldir/kernel';
import { type Client, eventually, startApi, startWorker, startWorld, type World } from '@haldir/test-support';
import { Client as Postgres } from 'pg';

/** More than one page of anything, and tiles of three levels. */
const LENGTH = 12_000;
const TILE = 256;
const PROOFS = 20;

let world: World;
let tenant: Client;
let session: string;
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.newTenant();
  session = await tenant.session();
  await fill(await world.tenantOf(tenant));
}, 180_000);
afterAll(() => world.stop());

/** Appends through Haldir's own writer, on one connection. */
async function fill(tenantId: string): Promise<void> {
  const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await db.connect();
  await db.query(`SELECT set_config('haldir.tenants', $1, false)`, [`{"${tenantId}"}`]);
  const query = async ({ text }: { text: string }, values: unknown[]): Promise<unknown[]> =>
    (await db.query(text, values)).rows as unknown[];
  const log = new AuditLog(new AuditLogRepository({ query } as unknown as Transactions), { now: () => new Date() });
  const entry = { source: 'agent', sessionId: session, agentId: 'agent', tool: 'browser', action: 'open' } as const;
  for (let i = 0; i < LENGTH; i += 2000) {
    await Promise.all(
      Array.from({ length: 2000 }, (_, j) => log.append(haldirActor(tenantId), { ...entry, details: `${i + j}` })),
    );
  }
  await db.end();
}

/** How many rows of the log and its tree were read so far, by processes that have ended. */
async function rowsRead(): Promise<number> {
  const [row] = await world.sql<{ rows: number }>(
    `SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::integer AS rows FROM pg_stat_user_tables
      WHERE relname LIKE 'audit\\_%'`,
  );
  return row?.rows ?? 0;
}

/** Has the planner know the tables as they are by now, whenever it would have looked at them by itself. */
async function vacuum(...tables: string[]): Promise<void> {
  const owner = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
  await owner.connect();
  for (const table of tables) await owner.query(`VACUUM ANALYZE ${table}`);
  await owner.end();
}

describe('a log of 12,000 entries', () => {
  it('proves an entry, and that it only grew, from a few rows', async () => {
    const { body: head } = await tenant.get<{ tree_size: number }>('/v1/audit/tree-head');
    expect(head.tree_size).toBeGreaterThan(LENGTH);
    const entries = await world.sql<{ entry_id: string }>(
      `SELECT entry_id FROM audit_entry WHERE session_id = $1 AND seq % $2 = 0 LIMIT $3`,
      [session, Math.floor(LENGTH / PROOFS), PROOFS],
    );
    await vacuum('audit_entry', 'audit_tile', 'audit_tree');
    const proving = async (): Promise<number> => {
      const before = await rowsRead();
      // Postgres counts what a connection read once it ends.
      const api = await startApi(world.environment);
      for (const [i, { entry_id: id }] of entries.entries()) {
        const inclusion = await tenant.at(api).get(`/v1/audit/inclusion-proof/${id}`);
        const consistency = await tenant.at(api).get(`/v1/audit/consistency-proof?first=${i + 1}&second=${LENGTH}`);
        expect([inclusion.status, consistency.status]).toEqual([200, 200]);
      }
      await api.stop();
      return ((await rowsRead()) - before) / PROOFS;
    };
    // Nodes on the way up, and what is in the last tile so far: not what came before. Other processes read meanwhile, now and then.
    const few = 2 * (TILE + 50);
    let read = await proving();
    for (let again = 0; again < 2 && read >= few; again++) read = await proving();
    expect(read).toBeGreaterThan(1);
    expect(read).toBeLessThan(few);
  });

  it('is summed up from a few rows', async () => {
    const tenantId = await world.tenantOf(tenant);
    const worker = await startWorker(world.environment);
    await eventually(async () => {
      const [mark] = await world.sql<{ seq: number }>(
        'SELECT seq::integer FROM audit_rollup_mark WHERE tenant_id = $1',
        [tenantId],
      );
      expect(mark?.seq).toBeGreaterThan(LENGTH - 2000);
    });
    await worker.stop();
    await world.sql('ANALYZE audit_entry');
    const before = await rowsRead();
    const api = await startApi(world.environment);
    for (let i = 0; i < PROOFS; i++) {
      for (const filter of ['', '?agent_id=agent', `?session_id=${session}`]) {
        const { body } = await tenant.at(api).get<{ action_count: number }>(`/v1/audit/spend${filter}`);
        expect(body.action_count).toBeGreaterThanOrEqual(LENGTH);
      }
      expect((await tenant.at(api).get('/v1/metrics')).status).toBe(200);
    }
    await api.stop();
    expect(((await rowsRead()) - before) / PROOFS).toBeLessThan(LENGTH / 10);
  });

  it('is filtered from a few rows, and what takes many is done some at a time', async () => {
    // One entry near the beginning, of a log in which all others are alike.
    const tenantId = await world.tenantOf(tenant);
    const [rare] = await world.sql<{ entry_id: string }>(
      `SELECT entry_id FROM audit_entry WHERE tenant_id = $1 AND seq < 100 AND action = 'session_created' AND session_id = $2`,
      [tenantId, session],
    );
    await vacuum('audit_entry');
    const api = await startApi(world.environment);
    const ask = async (query: string): Promise<{ entries: { entry_id: string }[]; next_cursor: string | null }> =>
      (await tenant.at(api).get<{ entries: { entry_id: string }[]; next_cursor: string | null }>(`/v1/audit?${query}`))
        .body;
    const before = await rowsRead();
    for (let i = 0; i < PROOFS; i++) {
      expect((await ask('action=session_created')).entries).toMatchObject([rare]);
      expect((await ask('upstream=files')).entries).toEqual([]);
      expect((await ask('decision=blocked')).entries).toEqual([]);
      expect((await ask('rule=pol_none&agent_id=agent')).entries).toEqual([]);
      expect((await ask('actor=hld_nobody&tool_contains=brow')).entries).toEqual([]);
      expect((await ask('action=open&tool_contains=BROW&limit=5')).entries).toHaveLength(5);
    }
    await api.stop();
    expect(((await rowsRead()) - before) / PROOFS).toBeLessThan(100);

    const other = await startApi(world.environment);
    const walk = async (query: string): Promise<[pages: number, found: string[]]> => {
      const found: string[] = [];
      let pages = 0;
      for (let cursor: string | null = ''; cursor !== null; pages++) {
        const page: Awaited<ReturnType<typeof ask>> = (
          await tenant
            .at(other)
            .get<Awaited<ReturnType<typeof ask>>>(`/v1/audit?${query}${cursor && `&cursor=${cursor}`}`)
        ).body;
        found.push(...page.entries.map(({ entry_id: id }) => id));
        cursor = page.next_cursor;
      }
      return [pages, found];
    };
    const start = await rowsRead();
    expect(await walk(`tool_contains=haldir.gate&session_id=${session}`)).toEqual([2, [rare?.entry_id]]);
    expect(await walk('action=open&tool=chrome')).toEqual([2, []]);
    await other.stop();
    // Both pages look at the log once, and the first of each for where it ended.
    expect((await rowsRead()) - start).toBeLessThan(2 * 2.2 * LENGTH);
  });

  it('is verified to its end', async () => {
    expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({ verified: true });
    const db = new Postgres({ connectionString: world.environment['DATABASE_OWNER_URL'] });
    await db.connect();
    await db.query('SET session_replication_role = replica');
    await db.query(`UPDATE audit_entry SET cost_micros = 1 WHERE session_id = $1 AND seq = $2`, [session, LENGTH - 1]);
    await db.end();
    expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({ verified: false, broken_at: LENGTH - 1 });
  });
});

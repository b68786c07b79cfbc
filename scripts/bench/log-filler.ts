// Fills logs with many entries: by the product's own writer, without the HTTP in front of it.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { type AuditLog, type AuditLogRepository, type AuditRecord } from '@haldir/audit-log';
import { type haldirActor, type microUsd } from '@haldir/kernel';
import { type Tenant } from './tenant.js';
import { type World } from './world.js';

const BATCH = 500;
const SESSIONS = 1000;
const TOOLS = 20;
/** The entries are spread over the last so many seconds. */
const SPREAD_SECONDS = 30 * 86_400;
const KEPT_IDS = 1000;

export interface FilledLog {
  tenant: Tenant;
  /** How many there were when it was filled, all of them signed */
  entries: number;
  /** Of as many agents */
  sessions: string[];
  /** Of entries evenly spread over the log */
  entryIds: string[];
  /** Unix seconds, when the newest was written */
  until: number;
}

/** What an entry says of what was done. */
export interface Doing extends Pick<AuditRecord, 'source' | 'tool' | 'action' | 'details'> {
  /** In dollars */
  cost: number;
}

const agentAction = (n: number): Doing => ({
  source: 'agent',
  tool: `tool-${n % TOOLS}`,
  action: 'act',
  details: '{"order":"ord_1042","customer":"cus_9"}',
  cost: n % 1000 === 0 ? 200 : 0.0125,
});

/** What of the product fills a log. */
interface Product {
  AuditLog: typeof AuditLog;
  AuditLogRepository: typeof AuditLogRepository;
  haldirActor: typeof haldirActor;
  microUsd: typeof microUsd;
}

const builtLib = (root: string, lib: string): string =>
  pathToFileURL(path.join(root, 'dist', 'libs', lib, 'src', 'index.js')).href;

/**
 * A new tenant's log of so many entries, signed.
 *
 * @param doing what the entry with that number tells of
 */
export async function fillLog(
  world: World,
  entries: number,
  doing: (n: number, at: Date) => Doing = agentAction,
): Promise<FilledLog> {
  const { root, ownerUrl } = world.instance;
  const product: Product = {
    ...(await import(builtLib(root, 'audit-log'))),
    ...(await import(builtLib(root, 'kernel'))),
  };
  const tenant = await world.tenant();
  const sessions = await tenant.sessions(SESSIONS);
  const { tenant_id: tenantId, tree_size: before } = await tenant.send('GET', '/v1/audit/tree-head');
  const until = Date.now() / 1000;
  const start = until - SPREAD_SECONDS;
  const every = Math.max(1, Math.floor(entries / KEPT_IDS));
  const entryIds: string[] = [];
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(`SELECT set_config('haldir.tenants', $1, false)`, [`{${tenantId}}`]);
    // Sessions are recorded today; a log's times only grow.
    await client.query('UPDATE audit_head SET last_micros = 0 WHERE tenant_id = $1', [tenantId]);
    let at = new Date();
    const query = async (statement: pg.QueryConfig, values: unknown[]) => (await client.query(statement, values)).rows;
    const log = new product.AuditLog(new product.AuditLogRepository({ query } as never), { now: () => at });
    for (let from = before; from < entries; from += BATCH) {
      world.signal.throwIfAborted();
      const batch = Array.from({ length: Math.min(BATCH, entries - from) }, async (_, i) => {
        const n = from + i;
        at = new Date((start + (n / entries) * SPREAD_SECONDS) * 1000);
        const { cost, ...what } = doing(n, at);
        const { entryId } = await log.append(product.haldirActor(tenantId), {
          sessionId: sessions[(n * 7) % SESSIONS],
          agentId: `agent-${(n * 7) % SESSIONS}`,
          ...what,
          cost: product.microUsd(cost),
        });
        if (n % every === 0) entryIds.push(entryId);
      });
      await Promise.all(batch);
    }
    await client.query('VACUUM ANALYZE audit_entry');
  } finally {
    await client.end();
  }
  const { tree_size: size } = await tenant.send('GET', '/v1/audit/tree-head');
  return { tenant, entries: size, sessions, entryIds, until };
}

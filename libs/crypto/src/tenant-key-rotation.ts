import { createSecretKey, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Unavailable } from '@haldir/kernel';
import { type Transactions, type Tx } from '@haldir/database';
import { SealBroken } from './blob.js';
import { tenantKeyPlace, type VersionedKey } from './key-ring.js';
import { type RootKeys } from './root-keys.js';
import { type ResealedBatch, Resealer, type SealedColumn, underKey } from './sealed-column.js';

export const EVERY_TENANT_SCOPE = '*';

/** What a rotation did. */
export interface RotationReport {
  /** Whether it went on with one that was begun before. */
  resumed: boolean;
  tenants: number;
  values: number;
  /** Values that do not open where they stand, by table and row: they, and the key they are under, are left as they are. */
  broken: string[];
}

export interface RotationHooks {
  /** Records the new key in the tenant's log, in the transaction that puts it in place. */
  record(tx: Tx, tenantId: string, version: number): void;
  onProgress(values: number): void;
}

interface Rotation {
  id: string;
  started_at: Date;
}
interface KeyRow {
  version: number;
  state: 'active' | 'decrypt_only';
  wrapped: Buffer;
}

const TENANTS = 200;
/** How long whoever seals may have to wait for a key to be put in place. */
const TAKE_OVER_MS = 500;
const TRIES = 120;
const RETRY_MS = 250;

const unfinished = {
  name: 'key_rotation.unfinished.v1',
  text: 'SELECT id, started_at FROM key_rotation WHERE scope = $1 AND finished_at IS NULL',
};
const begin = {
  name: 'key_rotation.begin.v1',
  text: 'INSERT INTO key_rotation (scope, started_at) VALUES ($1, clock_timestamp()) RETURNING id, started_at',
};
const finish = {
  name: 'key_rotation.finish.v1',
  text: 'UPDATE key_rotation SET finished_at = clock_timestamp() WHERE id = $1',
};
const dueTenants = {
  name: 'tenant_key.due.v1',
  text: `SELECT DISTINCT tenant_id FROM tenant_key
          WHERE (state = 'decrypt_only' OR (state = 'active' AND created_at < $1))
            AND ($2 = '${EVERY_TENANT_SCOPE}' OR tenant_id = $2) AND tenant_id > $3
          ORDER BY tenant_id LIMIT ${TENANTS}`,
};
const lockTenantKey = {
  name: 'tenant_key.lock.v1',
  text: 'SELECT pg_advisory_xact_lock(tenant_key_lock($1))',
};
const stepDown = {
  name: 'tenant_key.step_down.v1',
  text: `UPDATE tenant_key SET state = 'decrypt_only' WHERE tenant_id = $1 AND state = 'active' AND created_at < $2 RETURNING version`,
};
const lastVersion = {
  name: 'tenant_key.last_version.v1',
  text: 'SELECT max(version) AS version FROM tenant_key WHERE tenant_id = $1',
};
const takeOver = {
  name: 'tenant_key.take_over.v1',
  text: `INSERT INTO tenant_key (tenant_id, version, root_key_id, wrapped, state, created_at)
           VALUES ($1, $2, $3, $4, 'active', clock_timestamp())`,
};
const liveKeys = {
  name: 'tenant_key.live.v1',
  text: `SELECT version, state, wrapped FROM tenant_key WHERE tenant_id = $1 AND state <> 'retired' ORDER BY version`,
};

/**
 * Gives tenants new keys and seals everything anew under them, while everybody reads and writes. Each step is a transaction of its
 * own, and what is left to do is in the database: whoever runs it after a crash goes on where it ended.
 *
 * A key is made and takes over in one commit, which waits for whoever seals under the one before. From then on nothing new is
 * sealed under that one; once nothing old is either, it is retired, and its material is gone.
 */
export class TenantKeyRotation {
  private readonly resealers: readonly Resealer[];
  private readonly retire: { name: string; text: string };

  constructor(
    private readonly transactions: Transactions,
    private readonly rootKeys: RootKeys,
    columns: readonly SealedColumn[],
    private readonly hooks: RotationHooks,
  ) {
    this.resealers = columns.map((column) => new Resealer(column));
    const unused = columns.map((column) => `NOT EXISTS (SELECT FROM ${column.table} WHERE ${underKey(column)})`);
    this.retire = {
      name: 'tenant_key.retire.v1',
      text: `UPDATE tenant_key AS k SET state = 'retired', wrapped = ''
              WHERE tenant_id = $1 AND state = 'decrypt_only' AND ${unused.join(' AND ')} RETURNING version`,
    };
  }

  /** @param scope a tenant, or `*` for all of them */
  async run(scope: string): Promise<RotationReport> {
    const [left] = await this.transactions.queryAll<Rotation>(unfinished, [scope]);
    const [rotation] = left ? [left] : await this.transactions.queryAll<Rotation>(begin, [scope]);
    if (!rotation) throw new Error('an insert answered no row');
    const report: RotationReport = { resumed: left !== undefined, tenants: 0, values: 0, broken: [] };
    let after = '';
    for (;;) {
      const tenants = await this.transactions.queryAll<{ tenant_id: string }>(dueTenants, [
        rotation.started_at,
        scope,
        after,
      ]);
      for (const { tenant_id: tenantId } of tenants) {
        await patiently(() => this.replaceKey(tenantId, rotation.started_at));
        try {
          await this.empty(tenantId, report);
        } catch (error) {
          if (!(error instanceof SealBroken)) throw error;
          report.broken.push(`a key of ${tenantId}`);
        }
        report.tenants++;
        after = tenantId;
      }
      if (tenants.length === 0) break;
    }
    await this.transactions.queryAll(finish, [rotation.id]);
    return report;
  }

  /** Puts a new key in the place of an active one that is older than the rotation. */
  private replaceKey(tenantId: string, startedAt: Date): Promise<void> {
    return this.transactions.run(tenantId, async (tx) => {
      tx.send(`SET LOCAL lock_timeout = ${TAKE_OVER_MS}`);
      await tx.query(lockTenantKey, [tenantId]);
      const [older] = await tx.query(stepDown, [tenantId, startedAt]);
      if (!older) return;
      const [last] = await tx.query<{ version: number }>(lastVersion, [tenantId]);
      const version = (last?.version ?? 0) + 1;
      const material = randomBytes(32);
      const { rootKeyId, wrapped } = this.rootKeys.wrap(material, tenantKeyPlace(tenantId, version));
      material.fill(0);
      tx.send(takeOver, [tenantId, version, rootKeyId, wrapped]);
      this.hooks.record(tx, tenantId, version);
    });
  }

  /** Seals anew what is under the tenant's earlier keys, and retires them. */
  private async empty(tenantId: string, report: RotationReport): Promise<void> {
    for (let tries = 1; ; tries++) {
      const broken: string[] = [];
      const before = report.values;
      const keys = await this.transactions.query<KeyRow>(liveKeys, [tenantId]);
      const active = keys.find(({ state }) => state === 'active');
      if (!active) throw new Error(`${tenantId} has no active key`);
      const to = this.unwrap(tenantId, active);
      const earlier = keys.filter(({ state }) => state === 'decrypt_only');
      for (const key of earlier) {
        const from = this.unwrap(tenantId, key);
        for (const resealer of this.resealers) await this.emptyColumn(resealer, tenantId, from, to, report, broken);
      }
      const retired = await this.transactions.query(this.retire, [tenantId]);
      // What is left does not open, or was held by somebody else just then.
      if (retired.length === earlier.length) return;
      if (report.values > before) tries = 0;
      else if (broken.length > 0 || tries === TRIES) {
        report.broken.push(...broken);
        if (broken.length === 0) throw new Unavailable(`Values of ${tenantId} are held by somebody else; run it again`);
        return;
      } else await pause(RETRY_MS);
    }
  }

  private async emptyColumn(
    resealer: Resealer,
    tenantId: string,
    from: VersionedKey,
    to: VersionedKey,
    report: RotationReport,
    broken: string[],
  ): Promise<void> {
    let after: string[] | null = null;
    do {
      const at: string[] | null = after;
      const batch: ResealedBatch = await patiently(() =>
        this.transactions.run(tenantId, (tx) => resealer.batch(tx, tenantId, from, to, at)),
      );
      report.values += batch.resealed;
      broken.push(...batch.broken);
      this.hooks.onProgress(report.values);
      after = batch.next;
    } while (after !== null);
  }

  private unwrap(tenantId: string, { version, wrapped }: KeyRow): VersionedKey {
    const material = this.rootKeys.unwrap(wrapped, tenantKeyPlace(tenantId, version));
    const key = createSecretKey(material);
    material.fill(0);
    return { version, key };
  }
}

/** Tries again when a lock was not to be had in time, or the database was away for a moment. */
async function patiently<T>(step: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof Unavailable) || tries === TRIES) throw error;
      await pause(RETRY_MS);
    }
  }
}

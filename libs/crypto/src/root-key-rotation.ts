import { EVERY_TENANT, type Transactions, type Tx } from '@haldir/database';
import { SealBroken } from './blob.js';
import { systemKeyPlace, tenantKeyPlace } from './key-ring.js';
import { type RootKeys } from './root-keys.js';

const BATCH = 500;

interface KeyRow {
  tenant_id: string;
  version: number;
  wrapped: Buffer;
}

export interface RootRotationReport {
  /** Keys that are under the active root key now, and were not. */
  keys: number;
  /** Keys that do not open, left as they are. */
  broken: string[];
  /** The root keys without which something does not open from now on. */
  inUse: number[];
}

const toWrap = {
  name: 'tenant_key.to_wrap.v1',
  text: `SELECT tenant_id, version, wrapped FROM tenant_key
          WHERE root_key_id <> $1 AND state <> 'retired' AND (tenant_id, version) > ($2, $3::integer)
          ORDER BY tenant_id, version LIMIT ${BATCH} FOR NO KEY UPDATE`,
};
const wrap = {
  name: 'tenant_key.wrap.v1',
  text: `UPDATE tenant_key AS k SET root_key_id = $1, wrapped = w.wrapped
           FROM unnest($2::text[], $3::integer[], $4::bytea[]) AS w(tenant_id, version, wrapped)
          WHERE k.tenant_id = w.tenant_id AND k.version = w.version`,
};

/**
 * Wraps every key that is under another root key under the active one. The keys themselves stay as they are, so nobody who holds
 * one open notices. Nothing but the rows says how far it came: run again after a crash it goes on, and run twice it finds nothing.
 */
export class RootKeyRotation {
  constructor(
    private readonly transactions: Transactions,
    private readonly rootKeys: RootKeys,
    private readonly onProgress: (keys: number) => void,
  ) {}

  async run(): Promise<RootRotationReport> {
    const report: RootRotationReport = { keys: 0, broken: [], inUse: [] };
    let after: KeyRow | undefined;
    do {
      const behind = after;
      after = await this.transactions.run(EVERY_TENANT, (tx) => this.wrapTenantKeys(tx, behind, report));
      this.onProgress(report.keys);
    } while (after);
    await this.transactions.run(EVERY_TENANT, (tx) => this.wrapSystemKeys(tx, report));
    report.inUse = (
      await this.transactions.queryAll<{ id: string }>({
        name: 'root_key.in_use.v1',
        text: 'SELECT id FROM root_keys_in_use() AS id ORDER BY 1',
      })
    ).map(({ id }) => Number(id));
    return report;
  }

  private async wrapTenantKeys(
    tx: Tx,
    after: KeyRow | undefined,
    report: RootRotationReport,
  ): Promise<KeyRow | undefined> {
    const { activeId } = this.rootKeys;
    const rows = await tx.query<KeyRow>(toWrap, [activeId, after?.tenant_id ?? '', after?.version ?? 0]);
    const moved = rows.flatMap((row) => {
      const wrapped = this.rewrap(row.wrapped, tenantKeyPlace(row.tenant_id, row.version));
      if (!wrapped) report.broken.push(`key ${row.version} of ${row.tenant_id}`);
      return wrapped ? [{ ...row, wrapped }] : [];
    });
    await tx.query(wrap, [
      activeId,
      moved.map((row) => row.tenant_id),
      moved.map((row) => row.version),
      moved.map((row) => row.wrapped),
    ]);
    report.keys += moved.length;
    return rows.length === BATCH ? rows.at(-1) : undefined;
  }

  private async wrapSystemKeys(tx: Tx, report: RootRotationReport): Promise<void> {
    const { activeId } = this.rootKeys;
    const rows = await tx.query<{ name: string; wrapped: Buffer }>(
      'SELECT name, wrapped FROM system_key WHERE root_key_id <> $1 FOR NO KEY UPDATE',
      [activeId],
    );
    for (const { name, wrapped: old } of rows) {
      const wrapped = this.rewrap(old, systemKeyPlace(name));
      if (!wrapped) report.broken.push(`the installation's key ${name}`);
      else {
        await tx.query('UPDATE system_key SET root_key_id = $2, wrapped = $3 WHERE name = $1', [
          name,
          activeId,
          wrapped,
        ]);
        report.keys++;
      }
    }
  }

  private rewrap(wrapped: Buffer, place: readonly (string | number)[]): Buffer | null {
    try {
      const material = this.rootKeys.unwrap(wrapped, place);
      const fresh = this.rootKeys.wrap(material, place);
      material.fill(0);
      return fresh.wrapped;
    } catch (error) {
      if (error instanceof SealBroken) return null;
      throw error;
    }
  }
}

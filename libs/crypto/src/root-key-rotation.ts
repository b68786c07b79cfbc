import { EVERY_TENANT, type Transactions, type Tx } from '@haldir/database';
import { SealBroken } from './blob.js';
import { systemKeyPlace, tenantKeyPlace } from './key-ring.js';
import { type RootKeys } from './root-keys.js';
import { RootKeyRepository } from './root-key.repository.js';
import { SystemKeyRepository } from './system-key.repository.js';
import { type TenantKey } from './tenant-key.entity.js';
import { TenantKeyRepository } from './tenant-key.repository.js';

const BATCH = 500;

export interface RootRotationReport {
  /** Keys that are under the active root key now, and were not. */
  keys: number;
  /** Keys that do not open, left as they are. */
  broken: string[];
  /** The root keys without which something does not open from now on. */
  inUse: number[];
}

/**
 * Wraps every key that is under another root key under the active one. The keys themselves stay as they are, so nobody who holds
 * one open notices. Nothing but the rows says how far it came: run again after a crash it goes on, and run twice it finds nothing.
 */
export class RootKeyRotation {
  private readonly tenantKeys: TenantKeyRepository;
  private readonly systemKeys = new SystemKeyRepository();
  private readonly rootKeyRows = new RootKeyRepository();

  constructor(
    private readonly transactions: Transactions,
    private readonly rootKeys: RootKeys,
    private readonly onProgress: (keys: number) => void,
  ) {
    this.tenantKeys = new TenantKeyRepository(transactions);
  }

  async run(): Promise<RootRotationReport> {
    const report: RootRotationReport = { keys: 0, broken: [], inUse: [] };
    let after: TenantKey | null = null;
    do {
      const behind: TenantKey | null = after;
      after = await this.transactions.run(EVERY_TENANT, (tx) => this.wrapTenantKeys(tx, behind, report));
      this.onProgress(report.keys);
    } while (after);
    await this.transactions.run(EVERY_TENANT, (tx) => this.wrapSystemKeys(tx, report));
    report.inUse = await this.transactions.run(EVERY_TENANT, (tx) => this.rootKeyRows.in(tx).inUse());
    return report;
  }

  private async wrapTenantKeys(tx: Tx, after: TenantKey | null, report: RootRotationReport): Promise<TenantKey | null> {
    const { activeId } = this.rootKeys;
    const tenantKeys = this.tenantKeys.in(tx);
    const rows = await tenantKeys.notUnder(activeId, after, BATCH);
    const moved = rows.flatMap((row) => {
      const wrapped = this.rewrap(row.wrapped, tenantKeyPlace(row.tenantId, row.version));
      if (!wrapped) report.broken.push(`key ${row.version} of ${row.tenantId}`);
      return wrapped ? [{ ...row, wrapped }] : [];
    });
    await tenantKeys.rewrap(activeId, moved);
    report.keys += moved.length;
    return rows.length === BATCH ? (rows.at(-1) ?? null) : null;
  }

  private async wrapSystemKeys(tx: Tx, report: RootRotationReport): Promise<void> {
    const { activeId } = this.rootKeys;
    const systemKeys = this.systemKeys.in(tx);
    for (const { name, wrapped: old } of await systemKeys.notUnder(activeId)) {
      const wrapped = this.rewrap(old, systemKeyPlace(name));
      if (!wrapped) report.broken.push(`the installation's key ${name}`);
      else {
        await systemKeys.rewrap(name, activeId, wrapped);
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

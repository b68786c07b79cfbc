import { createSecretKey, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Unavailable } from '@haldir/kernel';
import { type Transactions, type Tx } from '@haldir/database';
import { SealBroken } from './blob.js';
import { tenantKeyPlace, type VersionedKey } from './key-ring.js';
import { type RootKeys } from './root-keys.js';
import { KeyRotationRepository } from './key-rotation.repository.js';
import { type ResealedBatch, Resealer } from './resealer.js';
import { type SealedColumn } from './sealed-column.js';
import { SealedColumnRepository } from './sealed-column.repository.js';
import { TenantKeyRepository, type WrappedKey } from './tenant-key.repository.js';

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

const TENANTS = 200;
/** How long whoever seals may have to wait for a key to be put in place. */
const TAKE_OVER_MS = 500;
const TRIES = 120;
const RETRY_MS = 250;

/**
 * Gives tenants new keys and seals everything anew under them, while everybody reads and writes. Each step is a transaction of its
 * own, and what is left to do is in the database: whoever runs it after a crash goes on where it ended.
 *
 * A key is made and takes over in one commit, which waits for whoever seals under the one before. From then on nothing new is
 * sealed under that one; once nothing old is either, it is retired, and its material is gone.
 */
export class TenantKeyRotation {
  private readonly resealers: readonly Resealer[];
  private readonly rotations: KeyRotationRepository;
  private readonly tenantKeys: TenantKeyRepository;

  constructor(
    private readonly transactions: Transactions,
    private readonly rootKeys: RootKeys,
    private readonly columns: readonly SealedColumn[],
    private readonly hooks: RotationHooks,
  ) {
    this.rotations = new KeyRotationRepository(transactions);
    this.tenantKeys = new TenantKeyRepository(transactions);
    const values = new SealedColumnRepository(transactions);
    this.resealers = columns.map((column) => new Resealer(column, values));
  }

  /** @param scope a tenant, or `*` for all of them */
  async run(scope: string): Promise<RotationReport> {
    const [left] = await this.rotations.unfinished(scope);
    const { id, startedAt } = left ?? (await this.rotations.begin(scope));
    const only = scope === EVERY_TENANT_SCOPE ? null : scope;
    const report: RotationReport = { resumed: left !== undefined, tenants: 0, values: 0, broken: [] };
    let after = '';
    for (;;) {
      const tenants = await this.tenantKeys.due(startedAt, only, after, TENANTS);
      for (const tenantId of tenants) {
        await patiently(() => this.replaceKey(tenantId, startedAt));
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
    await this.rotations.finish(id);
    return report;
  }

  /** Puts a new key in the place of an active one that is older than the rotation. */
  private replaceKey(tenantId: string, startedAt: Date): Promise<void> {
    return this.transactions.run(tenantId, async (tx) => {
      const tenantKeys = this.tenantKeys.in(tx);
      await tenantKeys.lock(tenantId, TAKE_OVER_MS);
      if (!(await tenantKeys.stepDown(tenantId, startedAt))) return;
      const version = (await tenantKeys.lastVersion(tenantId)) + 1;
      const material = randomBytes(32);
      const { rootKeyId, wrapped } = this.rootKeys.wrap(material, tenantKeyPlace(tenantId, version));
      material.fill(0);
      await tenantKeys.takeOver({ tenantId, version, rootKeyId, wrapped });
      this.hooks.record(tx, tenantId, version);
    });
  }

  /** Seals anew what is under the tenant's earlier keys, and retires them. */
  private async empty(tenantId: string, report: RotationReport): Promise<void> {
    for (let tries = 1; ; tries++) {
      const broken: string[] = [];
      const before = report.values;
      const keys = await this.tenantKeys.live(tenantId);
      const active = keys.find(({ state }) => state === 'active');
      if (!active) throw new Error(`${tenantId} has no active key`);
      const to = this.unwrap(tenantId, active);
      const earlier = keys.filter(({ state }) => state === 'decrypt_only');
      for (const key of earlier) {
        const from = this.unwrap(tenantId, key);
        for (const resealer of this.resealers) await this.emptyColumn(resealer, tenantId, from, to, report, broken);
      }
      const retired = await this.tenantKeys.retire(tenantId, this.columns);
      // What is left does not open, or was held by somebody else just then.
      if (retired === earlier.length) return;
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

  private unwrap(tenantId: string, { version, wrapped }: WrappedKey): VersionedKey {
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

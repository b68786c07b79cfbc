import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { KeyRing, type SealedColumn, TenantKeyGone } from '@haldir/crypto';
import { Transactions } from '@haldir/database';
import { HaldirConfig } from '@haldir/runtime';
import { type LogKey, logKeyFromSeed } from './log-key.js';
import { SealedLogKeyRepository } from './sealed-log-key.repository.js';
import { LRUCache } from 'lru-cache';

const CACHE_ENTRIES = 1000;
const SEED_BYTES = 32;

/** Each log's own key, made when it is first signed. A key never changes, so it is kept once it was opened. */
@Injectable()
export class LogKeys {
  private readonly kept = new LRUCache<string, LogKey>({ max: CACHE_ENTRIES });

  constructor(
    private readonly keyRing: KeyRing,
    private readonly sealedKeys: SealedLogKeyRepository,
    private readonly transactions: Transactions,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /** @throws SealBroken when the key in the database is not the one that was made */
  async of(tenantId: string): Promise<LogKey> {
    const kept = this.kept.get(tenantId);
    if (kept) return kept;
    const key = (await this.find(tenantId)) ?? (await this.make(tenantId));
    this.kept.set(tenantId, key);
    return key;
  }

  private async find(tenantId: string): Promise<LogKey | null> {
    return this.read(tenantId).catch((error: unknown) => {
      // It was sealed anew meanwhile.
      if (error instanceof TenantKeyGone) return this.read(tenantId);
      throw error;
    });
  }

  private async read(tenantId: string): Promise<LogKey | null> {
    const sealed = await this.sealedKeys.find(tenantId);
    if (!sealed) return null;
    const seed = await this.keyRing.openFor(tenantId, sealed.seed, logSeedPlace(tenantId, sealed.origin));
    const key = logKeyFromSeed(sealed.origin, seed);
    seed.fill(0);
    return key;
  }

  /** Of processes that make one at once, the first one's counts. */
  private async make(tenantId: string): Promise<LogKey> {
    const origin = `${this.config.logOrigin}/log/${tenantId}`;
    const seed = randomBytes(SEED_BYTES);
    const { publicKey } = logKeyFromSeed(origin, seed);
    await this.transactions.run(tenantId, async (tx) => {
      const sealed = await this.keyRing.sealFor(tx, tenantId, seed, logSeedPlace(tenantId, origin));
      const createdAt = this.clock.now();
      await this.sealedKeys.in(tx).insert({ tenantId, origin, publicKey, seed: sealed, createdAt });
    });
    seed.fill(0);
    const made = await this.find(tenantId);
    if (!made) throw new Error('a log key was made and is not there');
    return made;
  }
}

function logSeedPlace(tenantId: string, origin: string): string[] {
  return ['haldir.audit-log.key.v1', tenantId, origin];
}

/** The seeds of the logs' keys, as a rotation of keys finds them. */
export const SEALED_LOG_SEEDS: SealedColumn = {
  table: 'audit_log_key',
  column: 'seed',
  key: [{ name: 'origin', type: 'text' }],
  placeOf: (tenantId, { origin = '' }) => logSeedPlace(tenantId, origin),
};

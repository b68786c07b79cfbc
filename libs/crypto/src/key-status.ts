import { EVERY_TENANT, type Transactions } from '@haldir/database';
import { KeyRotationRepository } from './key-rotation.repository.js';
import { RootKeyRepository } from './root-key.repository.js';
import { type SealedColumn } from './sealed-column.js';
import { SealedColumnRepository } from './sealed-column.repository.js';
import { type TenantKeyState } from './tenant-key.entity.js';
import { EVERY_TENANT_SCOPE } from './tenant-key-rotation.js';
import { TenantKeyRepository } from './tenant-key.repository.js';

export interface KeyStatus {
  /** Root keys that wrap something, and how many keys each. */
  rootKeys: { id: number; keys: number }[];
  tenantKeys: Record<TenantKeyState, number>;
  /** Values that are still under keys that seal nothing new. */
  valuesToMove: number;
  /** Rotations of tenant keys that were begun and not finished: of one tenant, or `*`. */
  unfinished: { scope: string; startedAt: Date }[];
}

/** How things stand with the keys of an installation; takes a look at every key, and opens none. */
export async function readKeyStatus(transactions: Transactions, columns: readonly SealedColumn[]): Promise<KeyStatus> {
  const rootKeys = new RootKeyRepository();
  const tenantKeys = new TenantKeyRepository(transactions);
  const values = new SealedColumnRepository(transactions);
  let valuesToMove = 0;
  for (const column of columns) valuesToMove += await values.countToMove(column);
  const unfinished = await new KeyRotationRepository(transactions).unfinished();
  return {
    rootKeys: await transactions.run(EVERY_TENANT, (tx) => rootKeys.in(tx).wrapping()),
    tenantKeys: await tenantKeys.counts(),
    valuesToMove,
    unfinished: unfinished.map(({ scope, startedAt }) => ({ scope, startedAt })),
  };
}

/** How many values there are, of one tenant or (`*`) of all. */
export async function countSealed(
  transactions: Transactions,
  columns: readonly SealedColumn[],
  scope: string,
): Promise<number> {
  const values = new SealedColumnRepository(transactions);
  let total = 0;
  for (const column of columns) total += await values.count(column, scope === EVERY_TENANT_SCOPE ? null : scope);
  return total;
}

import { Injectable } from '@nestjs/common';
import { columnsOf, type Statement, Transactions, type Tx } from '@haldir/database';
import { IdempotencyRecord } from './idempotency-record.entity.js';

/** What an `Idempotency-Key` of a principal is known by on a route. */
export type IdempotencyId = [tenantId: string, route: string, keyHash: Buffer];

/** What an Idempotency-Key of a tenant is known by, for records of what is done under it. */
export interface Claim {
  route: string;
  keyHash: string;
}

export type StoredWrite = Pick<IdempotencyRecord, 'fingerprint' | 'status' | 'response' | 'lockedUntil' | 'createdAt'>;

type NewClaim = Pick<IdempotencyRecord, 'fingerprint' | 'lockedUntil' | 'createdAt'>;

const STORED = columnsOf(IdempotencyRecord).only('fingerprint', 'status', 'response', 'lockedUntil', 'createdAt');

// With every write that has a key: of payments and of calls that are governed, too.
const claim = {
  name: 'idempotency.claim.v1',
  text: `INSERT INTO idempotency (tenant_id, route, key_hash, fingerprint, locked_until, created_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1 AS claimed`,
};
const find = {
  name: 'idempotency.find.v3',
  text: `SELECT ${STORED.list} FROM idempotency WHERE tenant_id = $1 AND route = $2 AND key_hash = $3`,
};
const store = {
  name: 'idempotency.store.v1',
  text: 'UPDATE idempotency SET status = $4, response = $5, locked_until = NULL WHERE tenant_id = $1 AND route = $2 AND key_hash = $3',
};
const release = {
  name: 'idempotency.release.v1',
  text: 'DELETE FROM idempotency WHERE tenant_id = $1 AND route = $2 AND key_hash = $3 AND status IS NULL',
};
const unlock = `
  UPDATE idempotency SET locked_until = NULL
   WHERE tenant_id = $1 AND route = $2 AND key_hash = decode($3, 'hex') AND status IS NULL`;

@Injectable()
export class IdempotencyRepository {
  constructor(private readonly transactions: Transactions) {}

  /** False when somebody has the key already. */
  claim(id: IdempotencyId, wanted: NewClaim): Promise<boolean> {
    return claimBy((statement, values) => this.transactions.query(statement, values), id, wanted);
  }

  find(id: IdempotencyId): Promise<StoredWrite | null> {
    return findBy((statement, values) => this.transactions.query(statement, values), id);
  }

  /** Gives up a claim that has no answer yet. */
  async release(id: IdempotencyId): Promise<void> {
    await this.transactions.query(release, id);
  }

  in(tx: Tx) {
    return {
      /** How long a statement waits for a lock, from now until the transaction ends. */
      waitForLocks: (seconds: number): Promise<unknown> => tx.query(`SET LOCAL lock_timeout = '${seconds}s'`),
      /** The same, once whoever claims it at the same time has ended. @throws when that takes longer than locks are waited for */
      claim: (id: IdempotencyId, wanted: NewClaim): Promise<boolean> =>
        claimBy((statement, values) => tx.query(statement, values), id, wanted),
      find: (id: IdempotencyId): Promise<StoredWrite | null> =>
        findBy((statement, values) => tx.query(statement, values), id),
      store: (id: IdempotencyId, status: number, response: Buffer): Promise<unknown> =>
        tx.query(store, [...id, status, response]),
    };
  }
}

/** From now on the key answers that the outcome is unknown, rather than that the request is in progress. */
export function leaveUnknown(tx: Tx, tenantId: string, { route, keyHash }: Claim): void {
  tx.send(unlock, [tenantId, route, keyHash]);
}

type Query = (statement: Statement, values: [string, ...unknown[]]) => Promise<object[]>;

async function claimBy(
  query: Query,
  id: IdempotencyId,
  { fingerprint, lockedUntil, createdAt }: NewClaim,
): Promise<boolean> {
  return (await query(claim, [...id, fingerprint, lockedUntil, createdAt])).length > 0;
}

async function findBy(query: Query, id: IdempotencyId): Promise<StoredWrite | null> {
  const [row] = await query(find, id);
  return row ? STORED.toEntity(row) : null;
}

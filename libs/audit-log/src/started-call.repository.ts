import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';

/** Where the record of a call stands. */
export interface CallPlace {
  tenantId: string;
  entryId: string;
}

interface StartedRow extends CallPlace {
  /** JSON: what the log says of the call when nobody learns what became of it, and who acted. */
  entry: string;
  paymentId: string | null;
  claim: object | null;
}

/** Calls that one process begins at once. */
export interface StartedRows {
  calls: readonly StartedRow[];
  processId: string;
  startedAt: Date;
}

// Only under a lease that lasts: what is written under another would be closed while it is under way.
const insert = {
  name: 'started_call.insert.v1',
  text: `INSERT INTO started_call (tenant_id, entry_id, process_id, entry, payment_id, claim, started_at)
           SELECT s.tenant_id, s.entry_id, l.process_id, s.entry::json, s.payment_id, s.claim::json, $7
             FROM process_lease l, unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                                     AS s(tenant_id, entry_id, entry, payment_id, claim)
            WHERE l.process_id = $6 AND l.ends_at > clock_timestamp()
         RETURNING true AS done`,
};
const take = {
  name: 'started_call.take.v2',
  text: 'DELETE FROM started_call WHERE tenant_id = $1 AND entry_id = $2 RETURNING entry::text AS entry, payment_id, claim',
};
const isOwn = `SELECT details_salt = decode($3, 'hex') AS own FROM audit_entry WHERE tenant_id = $1 AND entry_id = $2`;
const abandoned = `
  SELECT s.tenant_id, s.entry_id FROM started_call s
   WHERE s.process_id IN (SELECT process_id FROM process_lease WHERE ends_at < clock_timestamp())
   ORDER BY s.entry_id LIMIT $1`;

/** Calls that were recorded before they left, and whose entry nobody has written yet. */
@Injectable()
export class StartedCallRepository {
  constructor(private readonly transactions: Transactions) {}

  /** False, and nothing written, when the lease of the process has ended. */
  async insert(rows: StartedRows): Promise<boolean> {
    return (await this.transactions.query(insert, valuesOf(rows))).length > 0;
  }

  /** Whether the log has this very entry: its details have the salt, hex. */
  async isOwn(tenantId: string, entryId: string, salt: string): Promise<boolean> {
    return isOwnIn(await this.transactions.query(isOwn, [tenantId, entryId, salt]));
  }

  /** Up to `most` calls of processes whose leases have ended. */
  async abandoned(most: number): Promise<CallPlace[]> {
    const rows = await this.transactions.queryAll<{ tenant_id: string; entry_id: string }>(abandoned, [most]);
    return rows.map(({ tenant_id: tenantId, entry_id: entryId }) => ({ tenantId, entryId }));
  }

  in(tx: Tx) {
    return {
      insert: async (rows: StartedRows): Promise<boolean> => (await tx.query(insert, valuesOf(rows))).length > 0,
      /** Removes the record and answers it; null when somebody has done so already. */
      take: async (
        tenantId: string,
        entryId: string,
      ): Promise<Pick<StartedRow, 'entry' | 'paymentId' | 'claim'> | null> => {
        type Row = { entry: string; payment_id: string | null; claim: object | null };
        const [row] = await tx.query<Row>(take, [tenantId, entryId]);
        return row ? { entry: row.entry, paymentId: row.payment_id, claim: row.claim } : null;
      },
      isOwn: async (tenantId: string, entryId: string, salt: string): Promise<boolean> =>
        isOwnIn(await tx.query(isOwn, [tenantId, entryId, salt])),
    };
  }
}

function isOwnIn([row]: { own: boolean | null }[]): boolean {
  return row?.own === true;
}

function valuesOf({ calls, processId, startedAt }: StartedRows): [tenants: string[], ...rest: unknown[]] {
  return [
    calls.map(({ tenantId }) => tenantId),
    calls.map(({ entryId }) => entryId),
    calls.map(({ entry }) => entry),
    calls.map(({ paymentId }) => paymentId),
    calls.map(({ claim }) => (claim === null ? null : JSON.stringify(claim))),
    processId,
    startedAt,
  ];
}

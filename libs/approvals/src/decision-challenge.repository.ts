import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';

/** Of a request, for one person and one decision. */
export interface ChallengeKey {
  tenantId: string;
  requestId: string;
  personId: string;
  decision: 'approved' | 'denied';
}

// By the clock of the database, which is one for all processes.
const put = `
  INSERT INTO decision_challenge (tenant_id, request_id, person_id, decision, nonce, expires_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 second')
    ON CONFLICT (tenant_id, request_id, person_id, decision)
      DO UPDATE SET nonce = excluded.nonce, expires_at = excluded.expires_at`;
const take = `
  DELETE FROM decision_challenge
   WHERE tenant_id = $1 AND request_id = $2 AND person_id = $3 AND decision = $4 AND expires_at > clock_timestamp()
  RETURNING nonce`;

/** What people were given to sign, and have not used. */
@Injectable()
export class DecisionChallengeRepository {
  constructor(private readonly transactions: Transactions) {}

  /** In place of the one before. */
  async put(key: ChallengeKey, nonce: Buffer, seconds: number): Promise<void> {
    await this.transactions.run(key.tenantId, (tx) => tx.query(put, [...valuesOf(key), nonce, seconds]));
  }

  in(tx: Tx) {
    return {
      /** The nonce, for the transaction alone, and for good if it commits; null when there is none, or it is over. */
      take: async (key: ChallengeKey): Promise<Buffer | null> => {
        const [row] = await tx.query<{ nonce: Buffer }>(take, valuesOf(key));
        return row?.nonce ?? null;
      },
    };
  }
}

function valuesOf({ tenantId, requestId, personId, decision }: ChallengeKey): string[] {
  return [tenantId, requestId, personId, decision];
}

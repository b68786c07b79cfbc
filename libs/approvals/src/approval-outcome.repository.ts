import { Injectable } from '@nestjs/common';
import { columnsOf, type Tx } from '@haldir/database';
import { type ApprovalOutcome, ApprovalRequest } from './approval-request.entity.js';
import { type EndedFacts, FACTS } from './approval-request.repository.js';

const ENDED = columnsOf(ApprovalRequest).only(...FACTS, 'decidedKey');

const expire = `
  UPDATE approval_request SET status = 'expired', outcome = 'expired'
   WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM approval_request WHERE status = 'pending' AND expires_at <= $1
                              ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING ${ENDED.list}`;
const expireUnused = `
  UPDATE approval_request SET outcome = 'expired'
   WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM approval_request
                              WHERE status = 'approved' AND consumed_at IS NULL AND grant_id IS NULL AND digest IS NOT NULL
                                AND outcome IS NULL AND expires_at <= $1
                              ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING ${ENDED.list}`;
const end = `
  UPDATE approval_request SET outcome = $3 WHERE tenant_id = $1 AND id = $2 AND outcome IS NULL
  RETURNING ${ENDED.list}`;

/** How requests end. */
@Injectable()
export class ApprovalOutcomeRepository {
  in(tx: Tx) {
    return {
      /** Ends up to `limit` requests that nobody has decided in time, leaving those that someone else is at. */
      expire: async (now: Date, limit: number): Promise<EndedFacts[]> =>
        (await tx.query(expire, [now, limit])).map((row) => ENDED.toEntity(row)),
      /** The same of requests that were approved and let no call through in their time. */
      expireUnused: async (now: Date, limit: number): Promise<EndedFacts[]> =>
        (await tx.query(expireUnused, [now, limit])).map((row) => ENDED.toEntity(row)),
      /** Null when it is written down already how it ended. */
      end: async (tenantId: string, id: string, outcome: ApprovalOutcome): Promise<EndedFacts | null> => {
        const [row] = await tx.query(end, [tenantId, id, outcome]);
        return row ? ENDED.toEntity(row) : null;
      },
    };
  }
}

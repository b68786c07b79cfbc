import { Injectable } from '@nestjs/common';
import { Clock, haldirActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { EVERY_TENANT, Transactions } from '@haldir/database';

const BATCH = 500;
const IDEMPOTENCY_KEPT_MS = 24 * 3600 * 1000;
/** Longer than a quota's window: a revoked key takes no more from it. */
const QUOTA_KEPT_MS = 2 * 3600 * 1000;

const takeExpired = `
  UPDATE session s SET expiry_announced_at = $1
    FROM (SELECT tenant_id, id FROM session
           WHERE revoked_at IS NULL AND expiry_announced_at IS NULL AND expires_at <= $1
           ORDER BY expires_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) AS due
   WHERE s.tenant_id = due.tenant_id AND s.id = due.id
  RETURNING s.tenant_id, s.id, s.agent_id`;
const purgeIdempotency = {
  name: 'idempotency.purge.v1',
  text: `DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))
         RETURNING 1 AS purged`,
};
const purgeQuotas = {
  name: 'quota.purge_revoked.v2',
  text: `DELETE FROM quota WHERE ctid = ANY (ARRAY(
           SELECT q.ctid FROM quota q JOIN api_key k ON 'hld_' || k.public_id = q.principal_id
            WHERE k.tenant_id = q.tenant_id AND k.revoked_at < $1
              AND coalesce(q.times[cardinality(q.times)], 0) < extract(epoch FROM $1::timestamptz) LIMIT ${BATCH} FOR UPDATE OF q SKIP LOCKED))
         RETURNING 1 AS purged`,
};

/** What time does to sessions and to records that are kept for a while only. Several processes may do it at once. */
@Injectable()
export class SessionExpiry {
  constructor(
    private readonly transactions: Transactions,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Records `session_expired` for up to 500 sessions, once for each; answers how many. Their end itself needs no job. */
  announce(): Promise<number> {
    return this.transactions.run(EVERY_TENANT, async (tx) => {
      const rows = await tx.query<{ tenant_id: string; id: string; agent_id: string }>(takeExpired, [this.clock.now()]);
      for (const row of rows) {
        this.auditLog.record(tx, haldirActor(row.tenant_id), {
          source: 'haldir',
          sessionId: row.id,
          agentId: row.agent_id,
          tool: 'haldir.gate',
          action: 'session_expired',
        });
      }
      return rows.length;
    });
  }

  /** Removes up to 500 of each kind: idempotency records older than a day, and quotas of keys revoked long ago; answers how many. */
  async purge(): Promise<number> {
    const now = this.clock.now().getTime();
    const records = await this.transactions.queryAll(purgeIdempotency, [new Date(now - IDEMPOTENCY_KEPT_MS)]);
    const quotas = await this.transactions.queryAll(purgeQuotas, [new Date(now - QUOTA_KEPT_MS)]);
    return records.length + quotas.length;
  }
}

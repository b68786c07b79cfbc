import { Injectable } from '@nestjs/common';
import { Clock, haldirActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { EVERY_TENANT, Transactions } from '@haldir/database';
import { Outbox } from '@haldir/events';

const BATCH = 500;
/** So long before its end a key is told of. */
const AHEAD_MS = 7 * 24 * 3600 * 1000;

// Of a key that was made to live no longer than that nobody is told; whoever made it knows.
const takeEnding = `
  UPDATE api_key k SET expiry_announced_at = $1
    FROM (SELECT tenant_id, public_id FROM api_key
           WHERE expires_at IS NOT NULL AND expiry_announced_at IS NULL AND revoked_at IS NULL AND expires_at <= $2
           ORDER BY expires_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) AS due
   WHERE k.tenant_id = due.tenant_id AND k.public_id = due.public_id
  RETURNING k.tenant_id, k.public_id, k.name, k.agent_id, k.created_at, k.expires_at`;

interface EndingKey {
  tenant_id: string;
  public_id: string;
  name: string;
  agent_id: string | null;
  created_at: Date;
  expires_at: Date;
}

/** Tells of keys that end within a week. Several processes may do it at once. */
@Injectable()
export class KeyExpiry {
  constructor(
    private readonly transactions: Transactions,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** Publishes `key_expiring` for up to 500 keys, once for each, with an entry in the log; answers how many it looked at. */
  announce(): Promise<number> {
    const now = this.clock.now();
    return this.transactions.run(EVERY_TENANT, async (tx) => {
      const rows = await tx.query<EndingKey>(takeEnding, [now, new Date(now.getTime() + AHEAD_MS)]);
      for (const row of rows) {
        const { tenant_id: tenantId, agent_id: agentId, name, expires_at: expiresAt } = row;
        if (expiresAt <= now || expiresAt.getTime() - row.created_at.getTime() <= AHEAD_MS) continue;
        const data = {
          ...{ prefix: `hld_${row.public_id}`, name, agent_id: agentId },
          expires_at: expiresAt.toISOString(),
        };
        this.auditLog.record(tx, haldirActor(tenantId), {
          source: 'haldir',
          ...(agentId === null ? {} : { agentId }),
          ...{ tool: 'haldir.gate', action: 'api_key_expiring', details: data },
        });
        this.outbox.publish(tx, tenantId, { type: 'key_expiring', data });
      }
      return rows.length;
    });
  }
}

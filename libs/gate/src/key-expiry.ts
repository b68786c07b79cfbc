import { Injectable } from '@nestjs/common';
import { Clock, haldirActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { EVERY_TENANT, Transactions } from '@haldir/database';
import { Outbox } from '@haldir/events';
import { keyPrefix } from './api-key-format.js';
import { ApiKeyRepository } from './api-key.repository.js';

const BATCH = 500;
/** So long before its end a key is told of. */
const AHEAD_MS = 7 * 24 * 3600 * 1000;

/** Tells of keys that end within a week. Several processes may do it at once. */
@Injectable()
export class KeyExpiry {
  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly transactions: Transactions,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** Publishes `key_expiring` for up to 500 keys, once for each, with an entry in the log; answers how many it looked at. */
  announce(): Promise<number> {
    const now = this.clock.now();
    return this.transactions.run(EVERY_TENANT, async (tx) => {
      const ending = await this.keys.in(tx).takeEnding(now, new Date(now.getTime() + AHEAD_MS), BATCH);
      for (const { tenantId, publicId, name, agentId, createdAt, expiresAt } of ending) {
        // Of a key that was made to live no longer than that nobody is told; whoever made it knows.
        if (expiresAt <= now || expiresAt.getTime() - createdAt.getTime() <= AHEAD_MS) continue;
        const data = {
          prefix: keyPrefix(publicId),
          name,
          agent_id: agentId,
          expires_at: expiresAt.toISOString(),
        };
        this.auditLog.record(tx, haldirActor(tenantId), {
          source: 'haldir',
          ...(agentId === null ? {} : { agentId }),
          tool: 'haldir.gate',
          action: 'api_key_expiring',
          details: data,
        });
        this.outbox.publish(tx, tenantId, { type: 'key_expiring', data });
      }
      return ending.length;
    });
  }
}

import { Injectable } from '@nestjs/common';
import { Clock, firstIdAt } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { HaldirConfig } from '@haldir/runtime';

const BATCH = 1_000;
const TENANTS_AT_ONCE = 100;

/** Event ids are time-ordered, so what is old stands first. */
const tenantsWithOld = {
  name: 'webhook_event.tenants_with_old.v1',
  text: `SELECT t.id FROM tenant t
          WHERE t.id > $2 AND EXISTS (SELECT FROM webhook_event e WHERE e.tenant_id = t.id AND e.id < $1)
          ORDER BY t.id LIMIT $3`,
};
// The lock is one that asking for a retry waits for, or has.
const purgeEvents = {
  name: 'webhook_event.purge.v1',
  text: `WITH old AS MATERIALIZED (
           SELECT e.id FROM webhook_event e
            WHERE e.tenant_id = $1 AND e.id < $2
              AND NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.tenant_id = $1 AND d.event_id = e.id AND d.state = 'pending')
            ORDER BY e.id LIMIT $3 FOR UPDATE SKIP LOCKED
         ), deliveries AS (
           DELETE FROM webhook_delivery d USING old WHERE d.tenant_id = $1 AND d.event_id = old.id
         )
         DELETE FROM webhook_event e USING old WHERE e.tenant_id = $1 AND e.id = old.id RETURNING e.id`,
};
// Attempts are numbered as they are made: those of the oldest events stand at the beginning, or will soon.
const purgeAttempts = {
  name: 'webhook_attempt.purge.v1',
  text: `DELETE FROM webhook_attempt
          WHERE tenant_id = $1 AND id IN (
            SELECT id FROM (SELECT id, event_id FROM webhook_attempt WHERE tenant_id = $1 ORDER BY id LIMIT $3) AS first
             WHERE event_id < $2)
          RETURNING id`,
};

/** Events are kept with their deliveries and attempts for so long; what is still to be delivered is kept beyond. */
@Injectable()
export class DeliveryRetention {
  constructor(
    private readonly transactions: Transactions,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /** Removes what is old, a batch a statement; answers how many events there were. Safe to run anywhere, any number of times. */
  async purge(): Promise<number> {
    const cutoff = firstIdAt('evt', new Date(this.clock.now().getTime() - this.config.webhooks.retentionMs));
    let purged = 0;
    for (let last = ''; ;) {
      const tenants = await this.transactions.queryAll<{ id: string }>(tenantsWithOld, [cutoff, last, TENANTS_AT_ONCE]);
      for (const { id } of tenants) purged += await this.purgeTenant(id, cutoff);
      if (tenants.length < TENANTS_AT_ONCE) return purged;
      last = tenants.at(-1)?.id ?? '';
    }
  }

  private async purgeTenant(tenantId: string, cutoff: string): Promise<number> {
    let purged = 0;
    for (const statement of [purgeEvents, purgeAttempts]) {
      for (let rows = BATCH; rows === BATCH;) {
        ({ length: rows } = await this.transactions.query(statement, [tenantId, cutoff, BATCH]));
        if (statement === purgeEvents) purged += rows;
      }
    }
    return purged;
  }
}

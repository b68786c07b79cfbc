import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

/** Event ids are time-ordered, so what is old stands first. */
const tenantsWithOld = `
  SELECT t.id FROM tenant t
   WHERE t.id > $2 AND EXISTS (SELECT FROM webhook_event e WHERE e.tenant_id = t.id AND e.id < $1)
   ORDER BY t.id LIMIT $3`;
// The lock is one that asking for a retry waits for, or has.
const purgeEvents = `
  WITH old AS MATERIALIZED (
    SELECT e.id FROM webhook_event e
     WHERE e.tenant_id = $1 AND e.id < $2
       AND NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.tenant_id = $1 AND d.event_id = e.id AND d.state = 'pending')
     ORDER BY e.id LIMIT $3 FOR UPDATE SKIP LOCKED
  ), deliveries AS (
    DELETE FROM webhook_delivery d USING old WHERE d.tenant_id = $1 AND d.event_id = old.id
  )
  DELETE FROM webhook_event e USING old WHERE e.tenant_id = $1 AND e.id = old.id RETURNING e.id`;
// Attempts are numbered as they are made: those of the oldest events stand at the beginning, or will soon.
const purgeAttempts = `
  DELETE FROM webhook_attempt
   WHERE tenant_id = $1 AND id IN (
     SELECT id FROM (SELECT id, event_id FROM webhook_attempt WHERE tenant_id = $1 ORDER BY id LIMIT $3) AS first
      WHERE event_id < $2)
   RETURNING id`;

/** Events from before one with some id, with their deliveries and attempts. */
@Injectable()
export class OldDeliveryRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` tenants that have events from before `eventId`, by id, behind `after`. */
  async tenantsWithOld(eventId: string, after: string, limit: number): Promise<string[]> {
    const rows = await this.transactions.queryAll<{ id: string }>(tenantsWithOld, [eventId, after, limit]);
    return rows.map(({ id }) => id);
  }

  /** Removes up to `limit` events, and their deliveries; those that are still to be delivered stay. Answers how many. */
  async purgeEvents(tenantId: string, eventId: string, limit: number): Promise<number> {
    return (await this.transactions.query(purgeEvents, [tenantId, eventId, limit])).length;
  }

  /** Answers how many. */
  async purgeAttempts(tenantId: string, eventId: string, limit: number): Promise<number> {
    return (await this.transactions.query(purgeAttempts, [tenantId, eventId, limit])).length;
  }
}

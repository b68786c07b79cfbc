import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { type EventKey, type PublishedEvent, type Tally } from '@haldir/events';
import { Delivery, WebhookEvent } from './delivery.entity.js';
import { type EndpointKey, type EndpointRow, toEndpointKey } from './delivery.repository.js';
import { MAX_ATTEMPTS } from './retry-schedule.js';
import { messageBody } from './webhook-message.js';

const tenantsListening = {
  name: 'webhook.tenants_listening.v2',
  text: `SELECT DISTINCT tenant_id FROM webhook
          WHERE tenant_id = ANY($1::text[]) AND deleted_at IS NULL`,
};
const fanOut = {
  name: 'webhook.fan_out.v2',
  text: `WITH e AS (
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS e(tenant_id, id, type, body, created_at)
         ), d AS (
           INSERT INTO webhook_delivery (tenant_id, event_id, webhook_id, state, attempts_left, next_attempt_at)
             SELECT e.tenant_id, e.id, w.id, CASE WHEN w.disabled_at IS NULL THEN 'pending' ELSE 'cancelled' END, $7::integer, $6::timestamptz
               FROM e JOIN webhook w ON w.tenant_id = e.tenant_id AND w.deleted_at IS NULL
                                    AND (w.events && ARRAY['all', e.type])
             ON CONFLICT DO NOTHING
             RETURNING tenant_id, event_id, webhook_id, state
         ), kept AS (
           INSERT INTO webhook_event (tenant_id, id, type, body, created_at)
             SELECT * FROM e WHERE (tenant_id, id) IN (SELECT tenant_id, event_id FROM d)
             ON CONFLICT DO NOTHING
         )
         SELECT DISTINCT tenant_id, webhook_id FROM d WHERE state = 'pending'`,
};

const tally = `
  SELECT e.n, count(*) FILTER (WHERE d.state <> 'cancelled')::integer AS wanted, count(*) FILTER (WHERE d.state = 'delivered')::integer AS told,
         count(*) FILTER (WHERE d.state = 'pending')::integer AS waiting
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(tenant_id, event_id, n)
    JOIN webhook_delivery d ON d.tenant_id = e.tenant_id AND d.event_id = e.event_id
   GROUP BY e.n`;

/** Makes deliveries of events, in the transaction in which they are heard. */
@Injectable()
export class FanOutRepository {
  /**
   * Makes a delivery of each event for each endpoint of its tenant that wants it; answers the endpoints. Harmless when repeated.
   * For one that is switched off it is cancelled from the beginning, and kept until it is recovered or too old.
   */
  async fanOut(tx: Tx, events: readonly PublishedEvent[], now: Date): Promise<EndpointKey[]> {
    const tenants = [...new Set(events.map(({ tenantId }) => tenantId))];
    const listening = new Set(
      (await tx.query<{ tenant_id: string }>(tenantsListening, [tenants])).map((row) => row.tenant_id),
    );
    const heard = events.filter(({ tenantId }) => listening.has(tenantId));
    if (heard.length === 0) return [];
    const rows = await tx.query<EndpointRow>(fanOut, [
      heard.map(({ tenantId }) => tenantId),
      heard.map(({ eventId }) => eventId),
      heard.map(({ type }) => type),
      heard.map(messageBody),
      heard.map(({ at }) => at),
      now,
      MAX_ATTEMPTS,
    ]);
    return rows.map(toEndpointKey);
  }

  /** For how many endpoints each event was made, and how many have taken it. One that is switched off is sent nothing. */
  async tally(tx: Tx, events: readonly EventKey[]): Promise<Tally[]> {
    const keys = [events.map(({ tenantId }) => tenantId), events.map(({ eventId }) => eventId)];
    const rows = await tx.query<Tally & { n: string }>(tally, keys);
    const found = new Map(rows.map(({ n, ...counts }) => [Number(n), counts]));
    return events.map((_, i) => found.get(i + 1) ?? { wanted: 0, told: 0, waiting: 0 });
  }

  /** Makes one event for one endpoint, whatever it subscribed to. */
  async send(tx: Tx, webhookId: number, event: PublishedEvent): Promise<void> {
    const { tenantId, eventId, type, at } = event;
    const sent = { tenantId, id: eventId, type, body: messageBody(event), createdAt: at };
    const delivery = { tenantId, eventId, webhookId, attemptsLeft: MAX_ATTEMPTS, nextAttemptAt: at };
    await tx.manager.insert(WebhookEvent, sent);
    await tx.manager.insert(Delivery, delivery);
  }
}

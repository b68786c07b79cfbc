import { Injectable } from '@nestjs/common';
import { type Actor, Clock, firstIdAt, toUnixSeconds } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import {
  type AttemptFilter,
  type DeliveryFigures,
  DeliveryLogRepository,
  type LoggedAttempt,
} from './delivery-log.repository.js';
import { type DeliveryKey } from './delivery.repository.js';
import { EndpointWaker } from './endpoint-waker.js';
import { WebhookRepository } from './webhook.repository.js';
import { DeliveryNotFound, WebhookDisabled, WebhookNotFound } from './webhooks.errors.js';

/** Deliveries that one request recovers at most. */
const MAX_RECOVERED = 10_000;

export interface Recovery {
  recovered: number;
  /** Whether there may be more to recover, by asking again. */
  more: boolean;
}

/** What was sent, and sending it once more. */
@Injectable()
export class DeliveryLog {
  constructor(
    private readonly attempts: DeliveryLogRepository,
    private readonly webhooks: WebhookRepository,
    private readonly waker: EndpointWaker,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Up to `limit` of the tenant's attempts, newest first, behind the one with id `before`. */
  list(tenantId: string, filter: AttemptFilter, limit: number, before: number | null): Promise<LoggedAttempt[]> {
    return this.attempts.list(tenantId, filter, limit, before);
  }

  /** Attempts from `since` on and before `until`. */
  figures(tenantId: string, since: Date, until: Date): Promise<DeliveryFigures> {
    return this.attempts.figures(tenantId, since, until);
  }

  /**
   * Sends a delivery again, now: the same bytes under the same `webhook-id`.
   *
   * @throws DeliveryNotFound, WebhookDisabled
   */
  async retry(tx: Tx, actor: Actor, deliveryId: string): Promise<void> {
    const { tenantId, id: by } = actor;
    const key = parseDeliveryId(tenantId, deliveryId);
    const live = key && (await this.attempts.requeue(tx, key, this.clock.now()));
    if (key === null || live === null) throw new DeliveryNotFound();
    if (!live) throw new WebhookDisabled();
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      tool: 'haldir.webhooks',
      action: 'webhook_delivery_retried',
      details: { webhook_id: key.webhookId, event_id: key.eventId, by },
    });
    tx.onCommit(() => this.waker.wake([key]));
  }

  /**
   * Sends an endpoint what it has missed since then: events that came while it was switched off, and deliveries that were given up.
   *
   * @throws WebhookNotFound, WebhookDisabled
   */
  async recover(tx: Tx, actor: Actor, webhookId: number, since: Date): Promise<Recovery> {
    const { tenantId, id: by } = actor;
    const webhook = await this.webhooks.in(tx).findForUpdate(tenantId, webhookId);
    if (!webhook) throw new WebhookNotFound();
    if (webhook.disabledAt !== null) throw new WebhookDisabled();
    const key = { tenantId, webhookId };
    const now = this.clock.now();
    const recovered = await this.attempts.recover(tx, key, firstIdAt('evt', since), now, MAX_RECOVERED);
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      tool: 'haldir.webhooks',
      action: 'webhook_recovered',
      details: { webhook_id: webhookId, since: toUnixSeconds(since), recovered, by },
    });
    if (recovered > 0) tx.onCommit(() => this.waker.wake([key]));
    return { recovered, more: recovered === MAX_RECOVERED };
  }
}

/** The public name of a delivery: its event's and its endpoint's in one. */
export function deliveryId({ eventId, webhookId }: DeliveryKey): string {
  return `dlv_${eventId.slice('evt_'.length)}_${webhookId}`;
}

/** Null for what is not the name of a delivery. */
function parseDeliveryId(tenantId: string, id: string): DeliveryKey | null {
  const [, event, webhook] = /^dlv_([0-9a-z]{1,64})_([1-9]\d{0,14})$/.exec(id) ?? [];
  return event === undefined ? null : { tenantId, eventId: `evt_${event}`, webhookId: Number(webhook) };
}

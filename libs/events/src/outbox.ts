import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { Clock, newId, stringifyJson } from '@haldir/kernel';
import { type Collector, type Tx } from '@haldir/database';
import { Nudge, queues } from '@haldir/queue';

/** Something that happened, for whoever listens. `data` is what a webhook receiver is sent: no secrets. */
export interface DomainEvent {
  type: EventType;
  data: Readonly<Record<string, unknown>>;
}

export const EVENT_TYPES = [
  'agent_frozen',
  'agent_unfrozen',
  'anomaly',
  'approval_requested',
  'budget_exhausted',
  'budget_threshold',
  'key_expiring',
] as const;
export type EventType = (typeof EVENT_TYPES)[number] | 'webhook_test';

interface OutboxRow {
  tenantId: string;
  eventId: string;
  event: DomainEvent;
  at: Date;
}

const insert = {
  name: 'outbox.insert.v1',
  text: `INSERT INTO outbox (tenant_id, event_id, type, data, created_at)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::timestamptz[])`,
};

const collector: Collector<OutboxRow> = {
  rank: 50,
  async flush(tx, rows) {
    await tx.query(insert, [
      rows.map(({ tenantId }) => tenantId),
      rows.map(({ eventId }) => eventId),
      rows.map(({ event }) => event.type),
      rows.map(({ event }) => stringifyJson(event.data)),
      rows.map(({ at }) => at),
    ]);
  },
};

/** Events leave with the transaction that caused them; the worker's relay takes them from there. */
@Injectable()
export class Outbox {
  private readonly relay: Nudge;

  constructor(
    private readonly clock: Clock,
    @InjectQueue(queues.outboxRelay.name) relayQueue: Queue,
  ) {
    this.relay = new Nudge(relayQueue);
  }

  /** Writes the event together with everything else in `tx`; answers its id. The relay is told after the commit. */
  publish(tx: Tx, tenantId: string, event: DomainEvent): string {
    const eventId = newId('evt');
    tx.collect(collector, { tenantId, eventId, event, at: this.clock.now() });
    tx.onCommit(() => this.relay.now());
    return eventId;
  }

  /** Tells the relay that rows were written by other means, such as the flags of the audit log. Never waits or fails. */
  nudge(): void {
    this.relay.now();
  }
}

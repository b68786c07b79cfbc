import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { Clock, newId } from '@haldir/kernel';
import { type Collector, type Tx } from '@haldir/database';
import { Nudge, queues } from '@haldir/queue';
import { type DomainEvent, type PublishedEvent } from './domain-event.js';
import { OutboxRepository } from './outbox.repository.js';

/** Events leave with the transaction that caused them; the worker's relay takes them from there. */
@Injectable()
export class Outbox {
  private readonly collector: Collector<PublishedEvent> = {
    rank: 50,
    flush: (tx, events) => this.events.in(tx).insert(events),
  };
  private readonly relay: Nudge;

  constructor(
    private readonly events: OutboxRepository,
    private readonly clock: Clock,
    @InjectQueue(queues.outboxRelay.name) relayQueue: Queue,
  ) {
    this.relay = new Nudge(relayQueue);
  }

  /**
   * Writes the event together with everything else in `tx`; answers its id. The relay is told after the commit.
   *
   * @param subjectId of what the event is about, which has one event of its type: the event goes by the same characters
   */
  publish(tx: Tx, tenantId: string, event: DomainEvent, subjectId?: string): string {
    const eventId = subjectId === undefined ? newId('evt') : eventIdOf(subjectId);
    tx.collect(this.collector, { tenantId, eventId, ...event, at: this.clock.now() });
    tx.onCommit(() => this.relay.now());
    return eventId;
  }

  /** Tells the relay that rows were written by other means, such as the flags of the audit log. Never waits or fails. */
  nudge(): void {
    this.relay.now();
  }
}

/** As `audit_append` names the event of a flagged entry. */
export function eventIdOf(subjectId: string): string {
  return `evt_${subjectId.slice(subjectId.indexOf('_') + 1)}`;
}

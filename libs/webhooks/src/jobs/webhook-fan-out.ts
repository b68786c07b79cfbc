import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { type EventListener, EventListeners, type PublishedEvent } from '@haldir/events';
import { EndpointWaker } from '../endpoint-waker.js';
import { FanOutRepository } from '../fan-out.repository.js';

/** Makes a delivery of every event for every endpoint that wants it, as the event leaves the outbox. */
@Injectable()
export class WebhookFanOut implements EventListener {
  constructor(
    private readonly deliveries: FanOutRepository,
    private readonly waker: EndpointWaker,
    private readonly clock: Clock,
    listeners: EventListeners,
  ) {
    listeners.add(this);
  }

  async hear(tx: Tx, events: readonly PublishedEvent[]): Promise<void> {
    const endpoints = await this.deliveries.fanOut(tx, events, this.clock.now());
    tx.onCommit(() => this.waker.wake(endpoints));
  }
}

import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { type PublishedEvent } from './domain-event.js';

/** Whoever wants to hear of events. */
export interface EventListener {
  /**
   * Writes down, in `tx`, whatever is to be done about the events. The events leave the outbox in the same
   * transaction: each is heard exactly once, or again when this fails.
   */
  hear: (tx: Tx, events: readonly PublishedEvent[]) => Promise<void>;
}

/** Who listens in this process. A worker's listeners register when their module is made. */
@Injectable()
export class EventListeners {
  private readonly listeners = new Set<EventListener>();
  private readonly last = new Set<EventListener>();

  add(listener: EventListener): void {
    this.listeners.add(listener);
  }

  /** It hears when all others have written down what they do. */
  addLast(listener: EventListener): void {
    this.last.add(listener);
  }

  /** All hear, one after the other, in `tx`. */
  async tell(tx: Tx, events: readonly PublishedEvent[]): Promise<void> {
    for (const listener of [...this.listeners, ...this.last]) await listener.hear(tx, events);
  }
}

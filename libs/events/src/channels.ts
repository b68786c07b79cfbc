import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { type PublishedEvent } from './domain-event.js';
import { OutboxRepository } from './outbox.repository.js';

export type EventKey = Pick<PublishedEvent, 'tenantId' | 'eventId'>;

/** Of one event: for how many endpoints and people it was made, how many of them have taken it so far, and to how many it is on its way. */
export interface Tally {
  wanted: number;
  told: number;
  /** Over all channels, of an event in the outbox, too: nobody knows yet to whom it goes. */
  waiting: number;
}

/** Whoever takes events to endpoints or people. */
export interface Channel {
  /** One for each event, in their order. */
  tally: (tx: Tx, events: readonly EventKey[]) => Promise<Tally[]>;
}

/** Every way by which somebody may be told of an event. They register when their module is made. */
@Injectable()
export class Channels {
  private readonly channels = new Set<Channel>();

  constructor(private readonly outbox: OutboxRepository) {}

  add(channel: Channel): void {
    this.channels.add(channel);
  }

  /** Over all channels, one for each event, in their order. Of one that is not kept any more, nothing. */
  async tally(tx: Tx, events: readonly EventKey[]): Promise<Tally[]> {
    // First: what leaves it in between is found below.
    const inOutbox = await this.outbox.in(tx).among(events);
    const sums = events.map(({ eventId }): Tally => ({ wanted: 0, told: 0, waiting: inOutbox.has(eventId) ? 1 : 0 }));
    for (const channel of this.channels) {
      const tallies = await channel.tally(tx, events);
      sums.forEach((sum, i) => {
        sum.wanted += tallies[i]?.wanted ?? 0;
        sum.told += tallies[i]?.told ?? 0;
        sum.waiting += tallies[i]?.waiting ?? 0;
      });
    }
    return sums;
  }
}

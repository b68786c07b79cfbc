import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { type PublishedEvent } from './domain-event.js';

export type EventKey = Pick<PublishedEvent, 'tenantId' | 'eventId'>;

/** Of one event: for how many endpoints and people it was made, and how many of them have taken it so far. */
export interface Tally {
  wanted: number;
  told: number;
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

  add(channel: Channel): void {
    this.channels.add(channel);
  }

  /** Over all channels, one for each event, in their order. Of one that has not left the outbox, or is not kept any more, nothing. */
  async tally(tx: Tx, events: readonly EventKey[]): Promise<Tally[]> {
    const sums = events.map((): Tally => ({ wanted: 0, told: 0 }));
    for (const channel of this.channels) {
      const tallies = await channel.tally(tx, events);
      sums.forEach((sum, i) => {
        sum.wanted += tallies[i]?.wanted ?? 0;
        sum.told += tallies[i]?.told ?? 0;
      });
    }
    return sums;
  }
}

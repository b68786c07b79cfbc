import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { type EventKey, type Channel, Channels, type Tally } from '@haldir/events';
import { FanOutRepository } from './fan-out.repository.js';

/** Says whom webhooks have told. */
@Injectable()
export class WebhookChannel implements Channel {
  constructor(
    private readonly deliveries: FanOutRepository,
    channels: Channels,
  ) {
    channels.add(this);
  }

  tally(tx: Tx, events: readonly EventKey[]): Promise<Tally[]> {
    return this.deliveries.tally(tx, events);
  }
}

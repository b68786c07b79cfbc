import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { type Channel, Channels, type EventKey, type Tally } from '@haldir/events';
import { MailRepository } from './mail.repository.js';

/** Says whom e-mail has told. */
@Injectable()
export class MailChannel implements Channel {
  constructor(
    private readonly mails: MailRepository,
    channels: Channels,
  ) {
    channels.add(this);
  }

  tally(tx: Tx, events: readonly EventKey[]): Promise<Tally[]> {
    return this.mails.tally(tx, events);
  }
}

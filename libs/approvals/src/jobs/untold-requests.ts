import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { type EventListener, EventListeners, type PublishedEvent } from '@haldir/events';
import { ApprovalTellings } from '../approval-tellings.js';

/** Hears of requests for approval when everybody who takes them to somebody has written down to whom. */
@Injectable()
export class UntoldRequests implements EventListener {
  constructor(
    private readonly tellings: ApprovalTellings,
    listeners: EventListeners,
  ) {
    listeners.addLast(this);
  }

  hear(tx: Tx, events: readonly PublishedEvent[]): Promise<void> {
    return this.tellings.noteUntold(tx, events);
  }
}

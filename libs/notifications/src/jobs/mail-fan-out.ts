import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { Clock, stringifyJson } from '@haldir/kernel';
import { EventListeners, noticeOf, type PublishedEvent } from '@haldir/events';
import { Nudge, queues } from '@haldir/queue';
import { HaldirConfig, Metrics } from '@haldir/runtime';
import { type Queue } from 'bullmq';
import { MailRepository } from '../mail.repository.js';
import { MailTransport } from '../mail-transport.js';
import { MessageFanOut } from './message-fan-out.js';

/** Makes e-mails. */
@Injectable()
export class MailFanOut extends MessageFanOut {
  constructor(
    mails: MailRepository,
    private readonly transport: MailTransport,
    private readonly config: HaldirConfig,
    private readonly metrics: Metrics,
    clock: Clock,
    @InjectQueue(queues.mailDelivery.name) queue: Queue,
    listeners: EventListeners,
  ) {
    super(mails, new Nudge(queue), clock);
    listeners.add(this);
  }

  protected override get isThere(): boolean {
    return this.transport.isThere;
  }

  protected override noticeOf(event: PublishedEvent): string {
    return stringifyJson(noticeOf(event, this.config.publicBase));
  }

  protected override countDropped(count: number): void {
    this.metrics.countMails('dropped', count);
  }
}

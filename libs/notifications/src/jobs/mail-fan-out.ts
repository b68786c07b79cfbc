import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { Clock, stringifyJson } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { type EventListener, EventListeners, noticeOf, type PublishedEvent } from '@haldir/events';
import { Nudge, queues } from '@haldir/queue';
import { HaldirConfig, Metrics } from '@haldir/runtime';
import { type Queue } from 'bullmq';
import { MailRepository, type NewMail } from '../mail.repository.js';
import { MailTransport } from '../mail-transport.js';
import { audiencesOf } from '../notification-kinds.js';

/** Agents ask as often as they like; what a person is sent within the hour ends there. */
const HOUR_MS = 3_600_000;
const MAX_AN_HOUR = 60;

/** Makes an e-mail of every event for every person who wants it, as the event leaves the outbox. */
@Injectable()
export class MailFanOut implements EventListener {
  private readonly sending: Nudge;

  constructor(
    private readonly mails: MailRepository,
    private readonly transport: MailTransport,
    private readonly config: HaldirConfig,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    @InjectQueue(queues.mailDelivery.name) queue: Queue,
    listeners: EventListeners,
  ) {
    this.sending = new Nudge(queue);
    listeners.add(this);
  }

  async hear(tx: Tx, events: readonly PublishedEvent[]): Promise<void> {
    if (!this.transport.isThere) return;
    const mails = events.flatMap((event): NewMail[] => {
      const { tenantId, eventId } = event;
      const audiences = audiencesOf(event);
      if (audiences.length === 0) return [];
      const notice = stringifyJson(noticeOf(event, this.config.publicUrl));
      return audiences.map((audience) => ({ ...{ tenantId, eventId, notice }, ...audience }));
    });
    if (mails.length === 0) return;
    const now = this.clock.now();
    const since = new Date(now.getTime() - HOUR_MS);
    const { made, dropped } = await this.mails.fanOut(tx, mails, { now, since, most: MAX_AN_HOUR });
    tx.onCommit(() => {
      if (made > 0) this.sending.now();
      if (dropped > 0) this.metrics.countMails('dropped', dropped);
    });
  }
}

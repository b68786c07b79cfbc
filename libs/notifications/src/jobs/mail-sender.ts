import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { type Notice } from '@haldir/events';
import { HaldirConfig, Log, Metrics } from '@haldir/runtime';
import { MailRepository } from '../mail.repository.js';
import { mailText } from '../mail-text.js';
import { MAIL_DEADLINE_MS, MailTransport } from '../mail-transport.js';
import { type Addressed, MessageSender } from './message-sender.js';

/** Sends e-mails. One that is sent once more has the same Message-ID. */
@Injectable()
export class MailSender extends MessageSender {
  constructor(
    mails: MailRepository,
    private readonly transport: MailTransport,
    private readonly metrics: Metrics,
    config: HaldirConfig,
    clock: Clock,
    log: Log,
  ) {
    super(mails, { name: 'mail', deadlineMs: MAIL_DEADLINE_MS }, config, clock, log);
    metrics.gauge('haldir_mails_due', 'E-mails that are due or under way', [], async () => [
      [{}, await mails.countDue(clock.now())],
    ]);
  }

  protected override get isThere(): boolean {
    return this.transport.isThere;
  }

  protected override async deliver({ eventId, personId, email, notice, createdAt }: Addressed): Promise<void> {
    const text = mailText(JSON.parse(notice) as Notice);
    await this.transport.send({ ...text, to: email, id: `${eventId}.${personId}`, at: createdAt });
  }

  protected override count(outcome: 'sent' | 'deferred' | 'failed'): void {
    this.metrics.countMails(outcome);
  }
}

import { type BeforeApplicationShutdown, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { type Notice } from '@haldir/events';
import { HaldirConfig, Log, Metrics } from '@haldir/runtime';
import { MailNotTaken } from '../mail.errors.js';
import { type ClaimedMail, MailRepository, type MailOutcome } from '../mail.repository.js';
import { nextMailAttempt } from '../mail-schedule.js';
import { mailText } from '../mail-text.js';
import { MAIL_DEADLINE_MS, MailTransport } from '../mail-transport.js';

/** Under way at once, of one process. */
const AT_ONCE = 5;
/** A dead worker's e-mails are free after this long; a living one has finished by then. */
const LEASE_MS = 2 * MAIL_DEADLINE_MS;
const PURGE_BATCH = 1_000;

/**
 * Sends what is due. An e-mail that the server has taken is written down at once, and sent by nobody again; should the process die
 * in between, it is sent once more, under the same Message-ID.
 */
@Injectable()
export class MailSender implements OnModuleDestroy, BeforeApplicationShutdown {
  private ending = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly mails: MailRepository,
    private readonly transport: MailTransport,
    private readonly metrics: Metrics,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    metrics.gauge('haldir_mails_due', 'E-mails that are due or under way', [], async () => [
      [{}, await this.mails.countDue(this.clock.now())],
    ]);
  }

  /** Until nothing is due, the server takes nothing, or the process ends. */
  async drain(): Promise<void> {
    while (!this.ending && this.transport.isThere) {
      const now = this.clock.now();
      const claimed = await this.mails.claim(AT_ONCE, now, new Date(now.getTime() + LEASE_MS));
      if (claimed.length === 0) return;
      const sending = Promise.all(claimed.map((mail) => this.send(mail)));
      this.running = sending.catch(() => undefined);
      if ((await sending).includes('away')) return;
    }
  }

  /** Removes what is old; answers how many there were. */
  async purge(): Promise<number> {
    const before = new Date(this.clock.now().getTime() - this.config.webhooks.retentionMs);
    let purged = 0;
    for (let batch = PURGE_BATCH; batch === PURGE_BATCH; purged += batch) {
      batch = await this.mails.purge(before, PURGE_BATCH);
    }
    return purged;
  }

  onModuleDestroy(): void {
    this.ending = true;
  }

  /** What is under way is written down, whether or not the queue is there to wait for it. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.running;
  }

  /** `away`: the server is not there, or does not take anything. */
  private async send(mail: ClaimedMail): Promise<'done' | 'away'> {
    const { tenantId, eventId, personId, email } = mail;
    if (email === null) {
      await this.mails.settle(mail, { state: 'cancelled', error: null, nextAttemptAt: this.clock.now() });
      return 'done';
    }
    try {
      const text = mailText(JSON.parse(mail.notice) as Notice);
      await this.transport.send({ ...text, to: email, id: `${eventId}.${personId}`, at: mail.createdAt });
    } catch (error) {
      if (!(error instanceof MailNotTaken)) throw error;
      const outcome = this.afterFailure(mail, error);
      await this.mails.settle(mail, outcome);
      this.metrics.countMails(outcome.state === 'pending' ? 'deferred' : 'failed');
      const { reason } = error;
      this.log.warn({ event: 'mail.not_taken', tenant: tenantId, event_id: eventId, reason, state: outcome.state });
      return error.isOfServer ? 'away' : 'done';
    }
    await this.mails.settle(mail, { state: 'sent', error: null, nextAttemptAt: this.clock.now() });
    this.metrics.countMails('sent');
    return 'done';
  }

  private afterFailure({ attempts }: ClaimedMail, { isFinal, reason }: MailNotTaken): MailOutcome {
    const now = this.clock.now();
    const next = isFinal ? null : nextMailAttempt(attempts + 1, now);
    return { state: next ? 'pending' : 'failed', error: reason, nextAttemptAt: next ?? now };
  }
}

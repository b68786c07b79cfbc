import { type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { type Clock } from '@haldir/kernel';
import { type HaldirConfig, type Log } from '@haldir/runtime';
import { nextMailAttempt } from '../mail-schedule.js';
import { MessageNotTaken } from '../message.errors.js';
import { type ClaimedMessage, type MessageOutcome, type MessageRepository } from '../message.repository.js';

/** Under way at once, of one process. */
const AT_ONCE = 5;
const PURGE_BATCH = 1_000;

/** To whom a message goes. */
export interface Addressed extends ClaimedMessage {
  email: string;
}

/**
 * Sends what is due by one medium. What was taken is written down at once, and sent by nobody again; should the process die in between, it
 * is sent once more, so that whoever gets it can tell.
 */
export abstract class MessageSender implements OnModuleDestroy, BeforeApplicationShutdown {
  private ending = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly messages: MessageRepository,
    private readonly medium: { name: 'mail' | 'push'; deadlineMs: number },
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Whether anything can be sent. */
  protected abstract get isThere(): boolean;

  /** Resolves when it was taken. @throws MessageNotTaken */
  protected abstract deliver(message: Addressed): Promise<void>;

  protected abstract count(outcome: 'sent' | 'deferred' | 'failed'): void;

  /** Until nothing is due, nothing is taken, or the process ends. */
  async drain(): Promise<void> {
    while (!this.ending && this.isThere) {
      const now = this.clock.now();
      // What a dead worker held is free after this long; a living one has finished by then.
      const leasedUntil = new Date(now.getTime() + 2 * this.medium.deadlineMs);
      const claimed = await this.messages.claim(AT_ONCE, now, leasedUntil);
      if (claimed.length === 0) return;
      const sending = Promise.all(claimed.map((message) => this.send(message)));
      this.running = sending.catch(() => undefined);
      if ((await sending).includes('away')) return;
    }
  }

  /** Removes what is old; answers how many there were. */
  async purge(): Promise<number> {
    const before = new Date(this.clock.now().getTime() - this.config.webhooks.retentionMs);
    let purged = 0;
    for (let batch = PURGE_BATCH; batch === PURGE_BATCH; purged += batch) {
      batch = await this.messages.purge(before, PURGE_BATCH);
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

  /** `away`: nobody is there to take it, or anything. */
  private async send(message: ClaimedMessage): Promise<'done' | 'away'> {
    const { tenantId, eventId, email } = message;
    if (email === null) {
      await this.messages.settle(message, { state: 'cancelled', error: null, nextAttemptAt: this.clock.now() });
      return 'done';
    }
    try {
      await this.deliver({ ...message, email });
    } catch (error) {
      if (!(error instanceof MessageNotTaken)) throw error;
      const outcome = this.afterFailure(message, error);
      await this.messages.settle(message, outcome);
      this.count(outcome.state === 'pending' ? 'deferred' : 'failed');
      const { reason } = error;
      const event = `${this.medium.name}.not_taken`;
      this.log.warn({ event, tenant: tenantId, event_id: eventId, reason, state: outcome.state });
      return error.isOfServer ? 'away' : 'done';
    }
    await this.messages.settle(message, { state: 'sent', error: null, nextAttemptAt: this.clock.now() });
    this.count('sent');
    return 'done';
  }

  private afterFailure({ attempts }: ClaimedMessage, { isFinal, reason }: MessageNotTaken): MessageOutcome {
    const now = this.clock.now();
    const next = isFinal ? null : nextMailAttempt(attempts + 1, now);
    return { state: next ? 'pending' : 'failed', error: reason, nextAttemptAt: next ?? now };
  }
}

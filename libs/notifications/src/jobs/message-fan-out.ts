import { type Clock } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { type EventListener, type PublishedEvent } from '@haldir/events';
import { type Nudge } from '@haldir/queue';
import { type MessageRepository, type NewMessage } from '../message.repository.js';
import { audiencesOf } from '../notification-kinds.js';

/** Agents ask as often as they like; what a person is sent of a kind within the hour ends there. */
const HOUR_MS = 3_600_000;
const MAX_AN_HOUR = 60;

/** Makes a message of every event for every person who wants it, as the event leaves the outbox. */
export abstract class MessageFanOut implements EventListener {
  constructor(
    private readonly messages: MessageRepository,
    private readonly sending: Nudge,
    private readonly clock: Clock,
  ) {}

  protected abstract get isThere(): boolean;

  /** What it says, as JSON. */
  protected abstract noticeOf(event: PublishedEvent): string;

  protected abstract countDropped(count: number): void;

  async hear(tx: Tx, events: readonly PublishedEvent[]): Promise<void> {
    if (!this.isThere) return;
    const messages = events.flatMap((event): NewMessage[] => {
      const { tenantId, eventId } = event;
      const audiences = audiencesOf(event);
      if (audiences.length === 0) return [];
      const notice = this.noticeOf(event);
      return audiences.map((audience) => ({ tenantId, eventId, notice, ...audience }));
    });
    if (messages.length === 0) return;
    const now = this.clock.now();
    const since = new Date(now.getTime() - HOUR_MS);
    const { made, dropped } = await this.messages.fanOut(tx, messages, { now, since, most: MAX_AN_HOUR });
    tx.onCommit(() => {
      if (made > 0) this.sending.now();
      if (dropped > 0) this.countDropped(dropped);
    });
  }
}

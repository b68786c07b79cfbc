import { exactNumber } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { MAX_REPLIES, replyTo } from './event-answer.js';
import { findAnswer, heard, NoJson } from './json-rpc-response.js';
import { isListChange } from './mcp-protocol.js';
import { UpstreamUnreachable } from './mcp-client.errors.js';
import { MAX_HEARD_BYTES, type Presenting } from './transport.js';

/** A request whose answer is to come on the stream. */
export interface StreamedRequest {
  readonly id: number;
  readonly asked: Presenting;
  readonly token: unknown;
  /** What the upstream may still say before it has answered, in bytes. */
  room: number;
  /** Done with what it was told, in the order of the stream. */
  told: Promise<void>;
  readonly answer: (message: JsonObject, bytes: number) => void;
  readonly fail: (error: unknown) => void;
  /** Told when the deadline is another. */
  readonly extend: () => void;
}

/** What is done with what no request waits for. */
interface Unasked {
  readonly onListChange?: (() => void) | undefined;
  /** Sends an answer to a request of the upstream. */
  readonly onReply: (reply: JsonObject) => void;
  /** Told when more was said than anybody asked for. */
  readonly onTooMuch: () => void;
}

/**
 * Of an answer that nobody here waits for, this counts against what may be said to those who wait: some servers send the answers of
 * all their streams over each.
 */
const OTHERS_SHARE = 1 / 16;

/** Finds out whom each message of a stream is for, of those that wait for answers on it. */
export class StreamAnswers {
  private readonly waiting = new Map<string, StreamedRequest>();
  /** Bytes and requests since the last request or answer. */
  private unasked = 0;
  private replies = 0;

  constructor(private readonly options: Unasked) {}

  get isAwaited(): boolean {
    return this.waiting.size > 0;
  }

  /** What one message may take, in bytes. */
  get largest(): number {
    return Math.max(MAX_HEARD_BYTES, ...[...this.waiting.values()].map(({ room }) => room));
  }

  add(waiting: StreamedRequest): void {
    this.waiting.set(String(waiting.id), waiting);
    this.unasked = this.replies = 0;
  }

  delete({ id }: StreamedRequest): void {
    this.waiting.delete(String(id));
  }

  /** Nothing more will come. */
  fail(error: UpstreamUnreachable): void {
    for (const { told, fail } of this.waiting.values()) void told.then(() => fail(error));
  }

  /** Hands on what one event says. */
  async take(data: string): Promise<void> {
    const bytes = Buffer.byteLength(data);
    let said: unknown;
    try {
      said = await heard(data, {});
    } catch (error) {
      // Whoever it was for: it cannot be read.
      for (const { fail } of this.waiting.values()) fail(error);
      return;
    }
    if (said instanceof NoJson) return this.spend(bytes);
    for (const message of Array.isArray(said) ? said : [said]) {
      if (isObject(message)) this.hand(message, bytes);
    }
  }

  private hand(message: JsonObject, bytes: number): void {
    const { id } = message;
    const asking = this.waiting.get(String(typeof id === 'string' ? id : exactNumber(id)));
    if (asking && findAnswer(message, asking.id)) {
      this.unasked = 0;
      asking.room -= bytes;
      if (asking.room < 0) asking.fail(new UpstreamUnreachable('too_large'));
      else this.tellOf(asking, message, (masked) => asking.answer(masked, bytes));
      return;
    }
    if (typeof message['method'] !== 'string') {
      const isAnswer = 'id' in message && ('result' in message || 'error' in message);
      return this.spend(isAnswer ? bytes * OTHERS_SHARE : bytes);
    }
    this.spend(bytes);
    if ('id' in message) {
      if (this.replies++ < MAX_REPLIES) this.options.onReply(replyTo(message));
      return;
    }
    if (isListChange(message)) this.options.onListChange?.();
    if (message['method'] === 'notifications/progress') this.progress(message);
  }

  private progress(notification: JsonObject): void {
    const { params } = notification;
    const token = isObject(params) ? params['progressToken'] : undefined;
    if (token === undefined) return;
    for (const waiting of this.waiting.values()) {
      if (waiting.token !== token) continue;
      this.tellOf(waiting, notification, (masked) => {
        const { asked } = waiting;
        asked.onNotification?.(masked);
        const later = asked.laterDeadline?.(masked) ?? null;
        if (later === null || later <= asked.deadlineAt || !this.waiting.has(String(waiting.id))) return;
        asked.deadlineAt = later;
        waiting.extend();
      });
    }
  }

  /** Masks a message for a request, and hands it on behind what came before. */
  private tellOf(waiting: StreamedRequest, message: JsonObject, then: (masked: JsonObject) => void): void {
    const { mask } = waiting.asked;
    waiting.told = waiting.told
      .then(async () => {
        const masked = mask ? await mask(message).catch(() => null) : message;
        if (!isObject(masked)) throw new UpstreamUnreachable('protocol');
        then(masked);
      })
      .catch(waiting.fail);
  }

  /** Takes what was said besides answers off what may be said to each that waits, or to nobody. */
  private spend(bytes: number): void {
    this.unasked += bytes;
    if (!this.isAwaited && this.unasked > MAX_HEARD_BYTES) this.options.onTooMuch();
    for (const waiting of this.waiting.values()) {
      waiting.room -= bytes;
      if (waiting.room < 0) waiting.fail(new UpstreamUnreachable('too_large'));
    }
  }
}

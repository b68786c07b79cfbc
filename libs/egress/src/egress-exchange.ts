import type { Dispatcher } from 'undici';
import { EgressFailed, type EgressRefused, requestFailure } from './egress.errors.js';

/** Header fields of an answer, names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface ExchangeLimits {
  readonly maxResponseBytes: number;
  /** What to do with an answer that is larger: fail, or keep its beginning. */
  readonly onOverflow: 'fail' | 'truncate';
}

interface Waiter {
  /** Not woken by bytes that arrive, only by the end. */
  readonly untilEnd: boolean;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * One request and its answer: collects what the pool reports and hands it on as a whole or in chunks. What waits unread is
 * bounded by `maxResponseBytes`. Ends exactly once, whichever comes first: the answer, a failure, or `fail()` from outside.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  status = 0;
  headers: ResponseHeaders = {};
  /** The answer was cut at `maxResponseBytes`. */
  truncated = false;

  private controller: Dispatcher.DispatchController | null = null;
  private chunks: Buffer[] = [];
  private received = 0;
  private sent = false;
  private ended = false;
  private failure: EgressRefused | EgressFailed | null = null;
  private waiter: Waiter | null = null;

  constructor(
    private readonly limits: ExchangeLimits,
    /** Called once when the outcome is known. */
    private readonly onSettled: () => void,
    /** Called when the pool is done with the request, which may be later than the outcome. */
    private readonly onReleased: () => void,
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.ended) {
      controller.abort(this.failure ?? new EgressFailed('aborted'));
      return;
    }
    this.controller = controller;
    this.sent = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status < 200 || this.ended) return;
    this.status = status;
    this.headers = headers;
    const length = Number(headers['content-length'] ?? 0);
    if (length > this.limits.maxResponseBytes && this.limits.onOverflow === 'fail') {
      this.fail(new EgressFailed('too_large', { sent: true }));
      return;
    }
    this.wake();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.ended) return;
    const room = this.limits.maxResponseBytes - this.received;
    if (chunk.length <= room) {
      this.received += chunk.length;
      this.chunks.push(chunk);
      this.wake();
    } else if (this.limits.onOverflow === 'truncate') {
      this.chunks.push(chunk.subarray(0, room));
      this.received += room;
      this.truncated = true;
      this.settle(null);
      this.controller?.abort(new EgressFailed('too_large', { sent: true }));
    } else {
      this.fail(new EgressFailed('too_large', { sent: true }));
    }
  }

  onResponseEnd(): void {
    this.settle(null);
    this.onReleased();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.settle(requestFailure(error, this.sent));
    this.onReleased();
  }

  /** Ends the exchange now with `reason`; without effect when it has ended. */
  stop(reason: 'timeout' | 'aborted'): void {
    this.fail(new EgressFailed(reason, { sent: this.sent }));
  }

  /** Waits for status and headers. @throws EgressRefused, EgressFailed */
  async head(): Promise<void> {
    while (this.status === 0) {
      if (this.failure) throw this.failure;
      await this.progress();
    }
  }

  /** The next bytes of the body; null at its end. One reader at a time. @throws EgressFailed */
  async next(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.chunks.shift();
      if (chunk) return chunk;
      if (this.failure) throw this.failure;
      if (this.ended) return null;
      await this.progress();
    }
  }

  /** The whole rest of the body. @throws EgressRefused, EgressFailed */
  async rest(): Promise<Buffer> {
    while (!this.ended) await this.progress(true);
    if (this.failure) throw this.failure;
    const chunks = this.chunks;
    this.chunks = [];
    return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  }

  private progress(untilEnd = false): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.waiter = { untilEnd, resolve, reject };
    });
  }

  private wake(): void {
    const waiter = this.waiter;
    if (!waiter || (waiter.untilEnd && !this.ended)) return;
    this.waiter = null;
    if (this.failure) waiter.reject(this.failure);
    else waiter.resolve();
  }

  private fail(error: EgressFailed): void {
    if (this.ended) return;
    this.settle(error);
    this.controller?.abort(error);
  }

  private settle(failure: EgressRefused | EgressFailed | null): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = failure;
    this.onSettled();
    this.wake();
  }
}

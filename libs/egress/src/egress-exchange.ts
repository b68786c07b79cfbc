import type { Dispatcher } from 'undici';
import { ContentDecoder, contentEncoding } from './content-decoder.js';
import { EgressFailed, type EgressRefused, requestFailure } from './egress.errors.js';

/** Header fields of an answer, names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** An answer whose body is still arriving. Read it to its end or `cancel()` it. */
export interface EgressStream {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Chunks as they come. One reader. @throws EgressFailed */
  readonly body: AsyncIterable<Buffer, undefined>;
  /** The rest of the body in one piece. @throws EgressFailed */
  bytes(): Promise<Buffer>;
  /** Gives the rest of the answer so long from now, in place of what was left. Without effect after its end. */
  extend(deadlineMs: number): void;
  /** Gives the answer up; its connection is closed. Without effect after its end. */
  cancel(): void;
}

export interface ExchangeLimits {
  readonly maxResponseBytes: number;
  /** What to do with an answer that is larger: fail, or keep its beginning. */
  readonly onOverflow: 'fail' | 'truncate';
  /** Whether an answer that is encoded is decoded; the limit holds before and after. */
  readonly decode: boolean;
  /** Of an answer without an end, `maxResponseBytes` is what may wait unread, however much comes altogether. */
  readonly endless: boolean;
}

interface Waiter {
  /** Not woken by bytes that arrive, only by the end. */
  readonly untilEnd: boolean;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * One request and its answer: collects what the pool reports and hands it on as a whole or in chunks. What waits unread is
 * bounded by `maxResponseBytes`. Ends exactly once, whichever comes first: the answer, a failure, or `stop()` from outside. What came
 * before a failure is handed on before it, also where it has yet to be decoded.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  status = 0;
  headers: ResponseHeaders = {};
  /** The answer was cut at `maxResponseBytes`. */
  truncated = false;

  private controller: Dispatcher.DispatchController | null = null;
  private chunks: Buffer[] = [];
  /** Bytes of the body, as they came and as they are handed on. */
  private received = 0;
  private kept = 0;
  private decoder: ContentDecoder | null = null;
  private sent = false;
  private ended = false;
  /** Nothing comes any more, and this is the outcome once what came is decoded. */
  private brokenOff: EgressRefused | EgressFailed | null = null;
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
    const encoding = this.limits.decode ? contentEncoding(headers['content-encoding']) : null;
    if (typeof encoding === 'object' && encoding !== null) {
      this.fail(new EgressFailed('encoding', { sent: true, detail: encoding.unread }));
      return;
    }
    if (encoding !== null)
      this.decoder = new ContentDecoder(encoding, {
        data: (chunk) => this.keep(chunk),
        end: () => this.settle(this.brokenOff),
        error: (error) => this.fail(this.brokenOff ?? new EgressFailed('protocol', { sent: true, cause: error })),
      });
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
    if (this.ended || this.brokenOff) return;
    if (!this.decoder) return this.keep(chunk);
    this.received += chunk.length;
    if (!this.limits.endless && this.received > this.limits.maxResponseBytes) this.overflow();
    else this.decoder.write(chunk);
  }

  onResponseEnd(): void {
    if (!this.decoder) this.settle(null);
    else if (!this.brokenOff) this.decoder.end();
    this.onReleased();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.breakOff(requestFailure(error, this.sent));
    this.onReleased();
  }

  /** Ends the exchange with `reason`; without effect when it has ended. What came in time is decoded yet, unless nobody waits for it. */
  stop(reason: 'timeout' | 'aborted'): void {
    const error = new EgressFailed(reason, { sent: this.sent });
    if (reason === 'aborted') return this.fail(error);
    if (this.ended) return;
    this.breakOff(error);
    this.controller?.abort(error);
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
      if (chunk) {
        if (this.limits.endless) this.kept -= chunk.length;
        return chunk;
      }
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

  private keep(chunk: Buffer): void {
    const room = this.limits.maxResponseBytes - this.kept;
    if (chunk.length <= room) {
      this.kept += chunk.length;
      this.chunks.push(chunk);
      this.wake();
      return;
    }
    if (this.limits.onOverflow === 'truncate') {
      this.chunks.push(chunk.subarray(0, room));
      this.kept += room;
    }
    this.overflow();
  }

  private overflow(): void {
    const error = new EgressFailed('too_large', { sent: true });
    if (this.limits.onOverflow === 'fail') return this.fail(error);
    this.truncated = true;
    this.settle(null);
    this.controller?.abort(error);
  }

  /** The decoder works off the event loop: it holds what came last, which may be all of the answer. */
  private breakOff(failure: EgressRefused | EgressFailed): void {
    if (this.ended || this.brokenOff) return;
    if (!this.decoder) return this.settle(failure);
    this.brokenOff = failure;
    this.decoder.end();
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

  private fail(error: EgressRefused | EgressFailed): void {
    if (this.ended) return;
    this.settle(error);
    this.controller?.abort(error);
  }

  private settle(failure: EgressRefused | EgressFailed | null): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = failure;
    this.decoder?.stop();
    this.onSettled();
    this.wake();
  }
}

/** What has begun to arrive, to whoever asked. @param extend gives the rest so long from now */
export function streamOf(exchange: Exchange, extend: (deadlineMs: number) => void): EgressStream {
  return {
    status: exchange.status,
    headers: exchange.headers,
    body: chunksOf(exchange),
    bytes: () => exchange.rest(),
    extend,
    cancel: () => {
      exchange.stop('aborted');
    },
  };
}

async function* chunksOf(exchange: Exchange): AsyncGenerator<Buffer, undefined> {
  try {
    for (;;) {
      const chunk = await exchange.next();
      if (chunk === null) return undefined;
      yield chunk;
    }
  } finally {
    exchange.stop('aborted');
  }
}

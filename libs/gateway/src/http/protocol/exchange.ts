import { PassThrough } from 'node:stream';
import { stringifyJson } from '@haldir/kernel';
import { type HaldirReply, type HaldirRequest } from '@haldir/http';
import { type JsonObject } from '@haldir/mcp';

/** A connection on which nothing is said for longer may be taken for dead by those on the way. */
const QUIET_MS = 15_000;
/** What is said before the answer and not taken by the client; one more message then ends the stream. */
export const MAX_UNREAD_BYTES = 256 * 1_024;

/**
 * The answer to one POST: JSON when nothing has to be said before it, else an event stream, which also stays audible while
 * the answer takes long.
 */
export class Exchange {
  private readonly gone = new AbortController();
  private readonly stalled = new AbortController();
  /** Whether the client hears that it is waited for. */
  readonly takesEvents: boolean;
  private events: PassThrough | null = null;
  private quiet: NodeJS.Timeout | null = null;
  private isClosed = false;

  constructor(
    request: HaldirRequest,
    private readonly reply: HaldirReply,
  ) {
    this.takesEvents = (request.headers.accept ?? '').includes('text/event-stream');
    const closed = (): void => {
      this.isClosed = true;
      if (this.quiet) clearInterval(this.quiet);
      if (!reply.raw.writableFinished) this.gone.abort();
    };
    // The client may have hung up while it was found out who it is.
    if (reply.raw.closed) closed();
    else reply.raw.once('close', closed);
  }

  /** Aborted when the client has gone before its answer. */
  get signal(): AbortSignal {
    return this.gone.signal;
  }

  /** Aborted when the client has left so much unread that nothing more is kept for it. */
  get unread(): AbortSignal {
    return this.stalled.signal;
  }

  /** What the client has not taken, as far as this process knows of it. */
  get unreadBytes(): number {
    const { events, reply } = this;
    return events ? events.writableLength + events.readableLength + reply.raw.writableLength : 0;
  }

  /** Whether something was said already, so that the status of the answer stands. */
  get hasBegun(): boolean {
    return this.events !== null;
  }

  /** From now on the answer may take long. */
  expectWaiting(): void {
    if (!this.takesEvents || this.quiet || this.isClosed) return;
    this.quiet = setInterval(() => this.write(':\n\n'), QUIET_MS);
    this.quiet.unref();
  }

  /**
   * Says something before the answer; nothing to a client that takes no event streams.
   *
   * @param id what a client that comes back says it has heard last
   */
  notify(method: string, params: JsonObject, id?: string): void {
    const said = event(stringifyJson({ jsonrpc: '2.0', method, params }));
    if (this.takesEvents) this.write(id === undefined ? said : `id: ${id}\n${said}`);
  }

  /** Begins to say things, before there is anything to say. */
  stand(): void {
    this.write(':\n\n');
    this.expectWaiting();
  }

  /** Gives the client what it says when it comes back. */
  mark(id: string): void {
    if (this.takesEvents) this.write(`id: ${id}\ndata: \n\n`);
  }

  /** Asks the client something before the answer. */
  request(id: string, method: string, params: JsonObject): void {
    if (this.takesEvents) this.write(event(stringifyJson({ jsonrpc: '2.0', id, method, params })));
  }

  /** Ends with the answer. A stream that has begun has its status already. */
  finish(status: number, text: string | Buffer): void {
    if (this.quiet) clearInterval(this.quiet);
    if (this.gone.signal.aborted) return;
    if (this.events) this.events.end(event(text.toString()));
    else void this.reply.status(status).header('content-type', 'application/json').send(text);
  }

  /** Ends without an answer. */
  leave(): void {
    if (this.quiet) clearInterval(this.quiet);
    if (this.gone.signal.aborted) return;
    if (this.takesEvents) this.begin().end();
    else void this.reply.status(202).send();
  }

  private write(text: string): void {
    if (this.gone.signal.aborted) return;
    if (this.unreadBytes <= MAX_UNREAD_BYTES) this.begin().write(text);
    else if (!this.stalled.signal.aborted) {
      this.stalled.abort();
      this.events?.destroy();
      this.reply.raw.destroy();
    }
  }

  private begin(): PassThrough {
    if (!this.events) {
      this.events = new PassThrough();
      const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
      void this.reply.status(200).headers(headers).send(this.events);
    }
    return this.events;
  }
}

function event(json: string): string {
  return `event: message\ndata: ${json}\n\n`;
}

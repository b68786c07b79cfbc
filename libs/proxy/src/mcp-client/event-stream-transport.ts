import { randomInt } from 'node:crypto';
import { EgressFailed, EgressRefused, type EgressStream, type EgressTarget } from '@haldir/egress';
import { stringifyJson } from '@haldir/kernel';
import { isObject, type JsonObject, type SseEvent, SseParser } from '@haldir/mcp';
import { linger } from './event-answer.js';
import { mediaType, RejectedUnprocessed, rejection, resultOf } from './json-rpc-response.js';
import { headersFor, type ProtocolRevision } from './mcp-protocol.js';
import { unreachable, UpstreamUnreachable } from './mcp-client.errors.js';
import { settled } from './settled.js';
import { StreamAnswers, type StreamedRequest } from './stream-answers.js';
import {
  type Answered,
  presenting,
  remaining,
  type SentRequest,
  type Shown,
  type Transport,
  type TransportOptions,
} from './transport.js';

/** No request is begun on a stream that is so old, and none waits on one that is twice as old. */
const MAX_AGE_MS = 12 * 3_600_000;
/** Of a stream, what may wait to be read. */
const MAX_UNREAD_BYTES = 32 * 1_024 * 1_024;
/** What is read of the answer to a POST, which says at most why it is refused. */
const MAX_RESPONSE_BYTES = 64 * 1_024;
const TELL_MS = 2_000;
/** With all that follow in 12 hours, ids fit into the 32 bits that some servers have for them. */
const MAX_FIRST_ID = 2 ** 30;
const OTHER_ORIGIN = 'its event stream names an endpoint that is not of the origin of its URL';

/**
 * One event stream of an upstream of 2024-11-05 ("HTTP with SSE"), and its session, which ends with it: requests are posted to the
 * endpoint that the stream names, answers come on the stream in any order. Once it has ended, whatever waits on it may have been
 * done, and whatever is asked is refused as not processed.
 */
export class EventStreamTransport implements Transport {
  private readonly openedAt = performance.now();
  private readonly parser = new SseParser();
  private readonly answers: StreamAnswers;
  private readonly listeners = new Set<() => void>();
  private readonly began = settled<boolean>();
  private endpoint: EgressTarget | null = null;
  /** Some that serve many streams send every answer over each (supergateway), so that no two count from the same number. */
  private nextId = randomInt(MAX_FIRST_ID);
  private heardAt = this.openedAt;
  /** Bytes of the event under way. */
  private pending = 0;
  private telling = 0;
  private isRetired = false;
  private hasEnded = false;

  private constructor(
    private readonly options: TransportOptions,
    private readonly shown: Shown,
    private readonly stream: EgressStream,
  ) {
    this.answers = new StreamAnswers({
      onListChange: options.onListChange,
      onReply: (reply) => this.tell({ kind: 'plain' }, reply),
      onTooMuch: () => this.close(),
    });
    void this.read();
  }

  /**
   * Asks for the stream and waits for its first event; null when there is none that begins as it should.
   *
   * @param shown the credentials, as they are with each request
   * @throws UpstreamUnreachable when the endpoint is of another origin, or not allowed, or an authorization is wanted
   */
  static async open(options: TransportOptions, shown: Shown, deadlineAt: number): Promise<EventStreamTransport | null> {
    const { egress, target, poolKey, connections } = options;
    const cut = new AbortController();
    const timer = setTimeout(() => cut.abort(), remaining(deadlineAt));
    try {
      const stream = await egress.open({
        method: 'GET',
        url: target,
        headers: { ...shown.headers, accept: 'text/event-stream', 'accept-encoding': 'identity' },
        deadlineMs: 2 * MAX_AGE_MS,
        maxResponseBytes: MAX_UNREAD_BYTES,
        endless: true,
        decode: true,
        signal: cut.signal,
        pool: { key: poolKey, connections },
      });
      if (stream.status === 200 && mediaType(stream.headers) === 'text/event-stream') {
        const opened = new EventStreamTransport(options, shown, stream);
        return (await opened.began.promise) ? opened : null;
      }
      stream.cancel();
      if (stream.status === 401) throw new UpstreamUnreachable('unauthorized', { status: 401, sent: false });
      return null;
    } catch (error) {
      if (error instanceof EgressFailed) return null;
      throw unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async ask(given: SentRequest): Promise<Answered> {
    this.mustGoOn();
    if (given.signal?.aborted) throw new UpstreamUnreachable('aborted', { sent: false });
    const asked = presenting(given, this.shown);
    const id = this.nextId++;
    const { method, params, signal } = asked;
    const askedAt = performance.now();
    const cut = new AbortController();
    const outcome = settled<Answered>();
    let timer: NodeJS.Timeout;
    const wait = (): NodeJS.Timeout => setTimeout(() => void giveUp('timeout'), remaining(asked.deadlineAt));
    const waiting: StreamedRequest = {
      id,
      asked,
      room: asked.maxBytes ?? this.options.maxResponseBytes,
      told: Promise.resolve(),
      token: isObject(params['_meta']) ? params['_meta']['progressToken'] : undefined,
      answer: (message, bytes) => outcome.resolve({ result: resultOf(message, 200), bytes, headers: {} }),
      fail: (error) => outcome.reject(error as Error),
      extend: () => {
        clearTimeout(timer);
        timer = wait();
      },
    };
    const posted = this.post(stringifyJson({ jsonrpc: '2.0', id, method, params }), waiting, cut.signal);
    let isPosted = false;
    void posted.then((failure) => {
      isPosted = true;
      if (failure && !cut.signal.aborted) waiting.fail(unreachable(failure));
    });
    const giveUp = async (reason: 'timeout' | 'aborted'): Promise<void> => {
      // Nothing was heard since then: perhaps nobody is at the other end.
      if (reason === 'timeout' && this.heardAt < askedAt) this.retire();
      cut.abort();
      const failure = await posted;
      const sent = !(failure instanceof EgressFailed) || failure.sent;
      if (sent && method !== 'initialize')
        this.tell(asked.revision, { method: 'notifications/cancelled', params: { requestId: id } });
      waiting.fail(new UpstreamUnreachable(reason, { sent }));
    };
    const onAbort = (): void => void giveUp('aborted');
    signal?.addEventListener('abort', onAbort, { once: true });
    timer = wait();
    this.answers.add(waiting);
    try {
      return await outcome.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.answers.delete(waiting);
      if (!isPosted) setTimeout(() => cut.abort(), TELL_MS).unref();
      this.closeUnused();
    }
  }

  async hear(_verb: 'GET' | 'POST', { deadlineAt, signal }: SentRequest): Promise<boolean> {
    this.mustGoOn();
    const { promise, resolve, reject } = settled<boolean>();
    const end = (): void => resolve(true);
    const onAbort = (): void => reject(new UpstreamUnreachable('aborted'));
    const timer = setTimeout(end, remaining(deadlineAt));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.listeners.add(end);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.listeners.delete(end);
    }
  }

  async notify(revision: ProtocolRevision, method: string, deadlineAt: number): Promise<void> {
    this.mustGoOn();
    await this.send(revision, { method }, deadlineAt);
  }

  readonly endSession = (): void => this.retire();
  readonly delete = async (): Promise<void> => this.retire();

  /** Begins nothing more, and closes the stream once nobody waits on it, and all that was to be told is told. */
  retire(): void {
    this.isRetired = true;
    for (const end of this.listeners) end();
    this.closeUnused();
  }

  close(): void {
    this.end(new UpstreamUnreachable('reset'));
  }

  private closeUnused(): void {
    if (this.isRetired && !this.answers.isAwaited && this.telling === 0) this.close();
  }

  /** @throws RejectedUnprocessed as a server does that knows nothing of a session */
  private mustGoOn(): void {
    if (!this.hasEnded && performance.now() > this.openedAt + MAX_AGE_MS) this.retire();
    if (this.hasEnded || this.isRetired) throw new RejectedUnprocessed(404, null);
  }

  /** Hands on what the stream says, to its end. */
  private async read(): Promise<void> {
    try {
      for await (const chunk of this.stream.body) {
        this.heardAt = performance.now();
        this.pending += chunk.length;
        for (const event of this.parser.push(chunk)) {
          this.pending = 0;
          if (!this.endpoint) this.begin(event);
          else if (event.type === 'message' && event.data !== '') await this.answers.take(event.data);
          if (this.hasEnded) return;
        }
        if (this.pending > this.answers.largest) throw new UpstreamUnreachable('too_large');
      }
      this.end(new UpstreamUnreachable('reset'));
    } catch (error) {
      this.end(error instanceof UpstreamUnreachable ? error : new UpstreamUnreachable('reset', { cause: error }));
    }
  }

  /** @throws UpstreamUnreachable when it is not to be spoken to over this stream */
  private begin({ type, data }: SseEvent): void {
    const { egress, target } = this.options;
    if (type !== 'endpoint' || !URL.canParse(data, target.origin + target.path)) return this.close();
    const url = new URL(data, target.origin + target.path);
    try {
      if (url.origin !== target.origin) throw new UpstreamUnreachable('refused', { sent: false, detail: OTHER_ORIGIN });
      this.endpoint = egress.target(url.href);
      this.began.resolve(true);
    } catch (error) {
      const refused = error instanceof EgressRefused ? (unreachable(error) as Error) : (error as Error);
      this.began.reject(refused);
      throw refused;
    }
  }

  private end(error: UpstreamUnreachable): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.stream.cancel();
    this.began.resolve(false);
    this.answers.fail(error);
    for (const listener of this.listeners) listener();
  }

  /** Null once it was taken; why it was not, else. */
  private async post(body: string, { id, asked }: StreamedRequest, signal: AbortSignal): Promise<Error | null> {
    const { egress, target, poolKey, connections } = this.options;
    try {
      const response = await egress.open({
        method: 'POST',
        url: this.endpoint ?? target,
        headers: { ...asked.credentials, ...asked.headers },
        body,
        // Cut by whoever waits for the answer.
        deadlineMs: 2 * MAX_AGE_MS,
        maxResponseBytes: MAX_RESPONSE_BYTES,
        onOverflow: 'truncate' as const,
        decode: true,
        signal,
        pool: { key: poolKey, connections },
      });
      if (response.status >= 400) return await rejection(response, id, asked, target.origin + target.path);
      const isTaken = response.status < 300;
      if (isTaken) linger(response);
      else response.cancel();
      return isTaken ? null : new UpstreamUnreachable('http_status', { status: response.status });
    } catch (error) {
      return error as Error;
    }
  }

  private tell(revision: ProtocolRevision, message: JsonObject): void {
    this.telling++;
    void this.send(revision, message, performance.now() + TELL_MS)
      .catch(() => undefined)
      .finally(() => {
        this.telling--;
        this.closeUnused();
      });
  }

  private async send(revision: ProtocolRevision, message: JsonObject, deadlineAt: number): Promise<void> {
    const { egress, target, poolKey, connections } = this.options;
    const sending = egress.request({
      method: 'POST',
      url: this.endpoint ?? target,
      headers: { ...this.shown.headers, ...headersFor(revision, '') },
      body: stringifyJson({ jsonrpc: '2.0', ...message }),
      deadlineMs: remaining(deadlineAt),
      maxResponseBytes: MAX_RESPONSE_BYTES,
      onOverflow: 'truncate',
      pool: { key: poolKey, connections },
    });
    await sending.catch((error: unknown) => Promise.reject(unreachable(error) as Error));
  }
}

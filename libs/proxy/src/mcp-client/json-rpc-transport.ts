import { EgressFailed, type EgressStream } from '@haldir/egress';
import { stringifyJson } from '@haldir/kernel';
import { type JsonObject, SseParser } from '@haldir/mcp';
import { answerIn, type Incoming } from './event-answer.js';
import { mediaType, messageIn, parsed, rejection, resultOf } from './json-rpc-response.js';
import { headersFor, isListChange, type ProtocolRevision } from './mcp-protocol.js';
import { unreachable, UpstreamUnreachable } from './mcp-client.errors.js';
import {
  type Answered,
  type Mask,
  MAX_HEARD_BYTES,
  type Presenting,
  presenting,
  remaining,
  type SentRequest,
  type Transport,
  type TransportOptions,
} from './transport.js';
import { UpstreamQuestions } from './upstream-questions.js';

const MAX_RESUMPTIONS = 20;

/** Carries JSON-RPC messages over HTTP to one upstream and finds the answer in whatever form it comes. */
export class JsonRpcTransport implements Transport {
  /** Sent with every request, for example an authorization. */
  headers: Readonly<Record<string, string>> = {};
  /** For what the upstream was told, by this request or another. */
  masker: Mask | null = null;
  private nextId = 1;

  constructor(private readonly options: TransportOptions) {}

  /**
   * Sends one request and waits for its answer, as JSON or in an event stream.
   *
   * @throws RejectedUnprocessed when the upstream refused it before acting
   * @throws UpstreamRpcError when the answer is a JSON-RPC error
   * @throws UpstreamUnreachable when there is no usable answer
   */
  async ask(given: SentRequest): Promise<Answered> {
    // Whatever is presented meanwhile: where the answer breaks off, its rest is asked for as its beginning was.
    const asked = presenting(given, this);
    const id = this.nextId++;
    const body = stringifyJson({ jsonrpc: '2.0', id, method: asked.method, params: asked.params });
    try {
      const maxBytes = asked.maxBytes ?? this.options.maxResponseBytes;
      const stream = await this.open('POST', asked.headers, asked, body, maxBytes);
      if (stream.status < 200 || stream.status > 299) throw await rejection(stream, id, asked, this.url);
      const type = mediaType(stream.headers);
      if (type === 'text/event-stream')
        return { ...(await this.fromEvents(stream, id, asked, maxBytes)), headers: stream.headers };
      const whole = await stream.bytes();
      const message = messageIn(await parsed(whole, asked), id);
      return { result: resultOf(message, stream.status), bytes: whole.length, headers: stream.headers };
    } catch (error) {
      if (error instanceof EgressFailed && error.sent && (error.reason === 'timeout' || error.reason === 'aborted')) {
        // Revisions with a handshake do not take a closed connection for a cancellation.
        if (asked.revision.kind === 'handshake' && asked.method !== 'initialize') {
          void this.tell(asked.revision, { method: 'notifications/cancelled', params: { requestId: id } });
        }
      }
      throw unreachable(error);
    } finally {
      asked.isOver = true;
    }
  }

  /**
   * Hears what the upstream says of its own accord, until its deadline or the end of the stream; false when it has no such
   * stream.
   *
   * @throws RejectedUnprocessed, UpstreamUnreachable
   */
  async hear(verb: 'GET' | 'POST', given: SentRequest): Promise<boolean> {
    const asked = presenting(given, this);
    const id = this.nextId++;
    const { method, params, headers } = asked;
    const body = verb === 'GET' ? undefined : stringifyJson({ jsonrpc: '2.0', id, method, params });
    try {
      const stream = await this.open(verb, headers, asked, body, MAX_HEARD_BYTES);
      const ok = stream.status === 200;
      if (!ok && stream.status !== 405) throw await rejection(stream, id, asked, this.url);
      if (!ok || mediaType(stream.headers) !== 'text/event-stream') {
        stream.cancel();
        return false;
      }
      try {
        const answer = await answerIn(stream, new SseParser(), id, this.incoming(asked));
        return answer === null || !('error' in answer);
      } finally {
        stream.cancel();
      }
    } catch (error) {
      if (error instanceof EgressFailed && error.reason === 'timeout' && error.sent) return true;
      throw unreachable(error);
    } finally {
      asked.isOver = true;
    }
  }

  private get url(): string {
    const { origin, path } = this.options.target;
    return origin + path;
  }

  /** Sends a notification and waits until it was taken. @throws UpstreamUnreachable */
  async notify(revision: ProtocolRevision, method: string, deadlineAt: number): Promise<void> {
    await this.send(revision, { method }, deadlineAt).catch((error: unknown) => {
      throw unreachable(error);
    });
  }

  /** Ends a session, without waiting and without caring whether the upstream minds. */
  endSession(revision: ProtocolRevision): void {
    if (revision.kind !== 'handshake' || revision.sessionId === null) return;
    void this.delete(revision).catch(() => undefined);
  }

  /** Ends a session, whatever the upstream answers. @throws UpstreamUnreachable */
  async delete(revision: ProtocolRevision): Promise<void> {
    await this.post('DELETE', headersFor(revision, ''), performance.now() + 2_000, null).catch((error: unknown) => {
      throw unreachable(error);
    });
  }

  /** Whether it was taken. */
  private tell(
    revision: ProtocolRevision,
    message: JsonObject,
    deadlineAt = performance.now() + 2_000,
  ): Promise<boolean> {
    return this.send(revision, message, deadlineAt).then(
      ({ status }) => status >= 200 && status <= 299,
      () => false,
    );
  }

  private send(revision: ProtocolRevision, message: JsonObject, deadlineAt: number): Promise<{ status: number }> {
    const method = typeof message['method'] === 'string' ? message['method'] : '';
    return this.post('POST', headersFor(revision, method), deadlineAt, stringifyJson({ jsonrpc: '2.0', ...message }));
  }

  private post(
    method: 'POST' | 'DELETE',
    headers: Record<string, string>,
    deadlineAt: number,
    body: string | null,
  ): Promise<{ status: number }> {
    const { egress, target, poolKey, connections } = this.options;
    return egress.request({
      method,
      url: target,
      headers: { ...this.headers, ...headers },
      ...(body === null ? {} : { body }),
      deadlineMs: remaining(deadlineAt),
      maxResponseBytes: 64 * 1_024,
      onOverflow: 'truncate',
      pool: { key: poolKey, connections },
    });
  }

  private open(
    method: 'GET' | 'POST',
    headers: Record<string, string>,
    asked: Presenting,
    body?: string,
    maxResponseBytes = this.options.maxResponseBytes,
  ): Promise<EgressStream> {
    const { egress, target, poolKey, connections } = this.options;
    return egress.open({
      method,
      url: target,
      headers: { ...asked.credentials, ...headers },
      ...(body === undefined ? {} : { body }),
      deadlineMs: remaining(asked.deadlineAt),
      maxResponseBytes,
      decode: true,
      ...(asked.signal ? { signal: asked.signal } : {}),
      pool: { key: poolKey, connections },
    });
  }

  /**
   * Reads events until the answer. A stream that ends before it, having given an event id, is taken up again with a GET from
   * there (2025-11-25, "Resumability"): that repeats the reading, never the call.
   */
  private async fromEvents(
    first: EgressStream,
    id: number,
    asked: Presenting,
    maxBytes: number,
  ): Promise<Pick<Answered, 'result' | 'bytes'>> {
    const parser = { current: new SseParser() };
    // For the answer as a whole, however often it is taken up again.
    const room = { bytes: maxBytes };
    let stream = first;
    const incoming = this.incoming(asked, () => stream.extend(remaining(asked.deadlineAt)));
    for (let resumptions = 0; ; resumptions++) {
      const message = await answerIn(stream, parser.current, id, incoming, room).catch((error: unknown) => {
        stream.cancel();
        throw error;
      });
      if (message) return { result: resultOf(message, stream.status), bytes: maxBytes - room.bytes };
      const { lastEventId, retryMs } = parser.current;
      if (asked.revision.kind !== 'handshake' || lastEventId === '' || resumptions >= MAX_RESUMPTIONS)
        throw new UpstreamUnreachable('protocol');
      await pause(Math.min(retryMs ?? 1_000, remaining(asked.deadlineAt)), asked.signal);
      const headers = { ...headersFor(asked.revision, ''), accept: 'text/event-stream', 'last-event-id': lastEventId };
      stream = await this.open('GET', headers, asked, undefined, room.bytes).catch((error: unknown) => {
        throw unreachable(error, true);
      });
      if (stream.status !== 200 || mediaType(stream.headers) !== 'text/event-stream') {
        stream.cancel();
        throw new UpstreamUnreachable('protocol');
      }
      parser.current = new SseParser();
      parser.current.lastEventId = lastEventId;
    }
  }

  /** @param onLater told when the deadline is another */
  private incoming(asked: Presenting, onLater?: () => void): Incoming {
    const { mask, onNotification, laterDeadline } = asked;
    const { onListChange } = this.options;
    const questions = new UpstreamQuestions(
      asked,
      // The call waits for it to arrive.
      (reply) => this.tell(asked.revision, reply, asked.deadlineAt),
      onLater,
    );
    return {
      ...(mask ? { mask } : {}),
      onNotification: (notification) => {
        if (isListChange(notification)) onListChange?.();
        onNotification?.(notification);
        const later = laterDeadline?.(notification) ?? null;
        if (later === null || later <= asked.deadlineAt) return;
        asked.deadlineAt = later;
        onLater?.();
      },
      // A server of the stateless revision asks nothing on a stream.
      ...(asked.revision.kind === 'stateless' ? {} : { onRequest: (request) => questions.take(request) }),
    };
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(new UpstreamUnreachable('aborted'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

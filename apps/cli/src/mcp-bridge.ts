import { parseJson, stringifyJson } from '@haldir/kernel';
import {
  headerValue,
  isObject,
  type JsonObject,
  META,
  type MirroredArgument,
  mirroredArguments,
  mirrorHeaders,
  type RequestId,
  requestIdIn,
  SseParser,
  subjectOf,
} from '@haldir/mcp';
import { answeredWith } from './haldir-url.js';
import { StandingStream } from './standing-stream.js';

/** No other session of Haldir was to be had. */
class NoSession extends Error {}

/** The session of Haldir that requests act in. */
export interface ActingSession {
  /** Null for none. */
  session: string | null;
  /** Opens another, for one that was opened here and has expired; null where it has not. */
  reopen?: () => Promise<string | null>;
}

/** A message that was passed on and is not answered yet. */
interface UnderWay {
  /** Of a request, as it was written; null for what has none. */
  id: string | null;
  /** Whether it has no end of its own. */
  isListening: boolean;
  abort: AbortController;
}

/**
 * Carries MCP between a client that reads and writes lines and an endpoint that speaks HTTP. It passes on what either says and
 * adds what HTTP wants besides: the headers that repeat a message, and an answer when there is none.
 */
export class McpBridge {
  private readonly underWay = new Set<UnderWay>();
  private readonly stream: StandingStream;
  /** Whether Haldir said in the handshake that it tells of changed lists. */
  private isTold = false;
  /** Shaken hands in; null before, and for clients that need no handshake. */
  private version: string | null = null;
  /** Given out in the handshake. */
  private session: string | null = null;
  private mirrored = new Map<string, MirroredArgument[]>();

  /** Until the answer to `initialize` has been read, which says what the headers of all later messages repeat. */
  private handshake: Promise<unknown> = Promise.resolve();
  /** Under way while another session of Haldir is opened. */
  private reopening: Promise<void> | null = null;

  /** @param write takes one message as a line without its end */
  constructor(
    private readonly endpoint: URL,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly write: (line: string) => void,
    private readonly acting: ActingSession,
  ) {
    this.stream = new StandingStream(
      endpoint,
      () => this.headersFor({}),
      (data) => this.hand(parsed(data), null),
    );
  }

  /** Passes one line on and its answer back. Never fails: what goes wrong is said to the client. */
  async pass(line: string): Promise<void> {
    const message = parsed(line);
    if (message === undefined) {
      this.fail(null, -32700, 'expected one JSON-RPC message on a line');
      return;
    }
    if (isObject(message) && message['method'] === 'notifications/cancelled') {
      this.cancel(message['params']);
      // Who shook hands does not cancel by hanging up.
      if (this.session === null) return;
    }
    const id = idOf(message);
    const abort = new AbortController();
    const passed: UnderWay = {
      id: id === null ? null : stringifyJson(id),
      isListening: isObject(message) && message['method'] === 'subscriptions/listen',
      abort,
    };
    this.underWay.add(passed);
    try {
      const passing = this.handshake.then(() => this.passOn(line, message, id, abort.signal));
      if (isObject(message) && message['method'] === 'initialize') this.handshake = passing.catch(() => undefined);
      await passing;
    } catch (error) {
      if (abort.signal.aborted) return;
      if (error instanceof NoSession) this.fail(id, -32000, error.message);
      else this.fail(id, -32000, `Haldir cannot be reached at ${this.endpoint.origin}`, error);
    } finally {
      this.underWay.delete(passed);
    }
  }

  private async passOn(line: string, message: unknown, id: RequestId | null, signal: AbortSignal): Promise<void> {
    const response = await this.send(line, message, signal);
    this.session = response.headers.get('mcp-session-id') ?? this.session;
    if (response.ok && this.isTold) this.stream.resume();
    await this.relay(response, id);
  }

  /** Sends a line, once more in another session when that of Haldir is over: nothing was done then. */
  private async send(line: string, message: unknown, signal: AbortSignal): Promise<Response> {
    const { session, reopen } = this.acting;
    const post = (): Promise<Response> =>
      fetch(this.endpoint, {
        method: 'POST',
        headers: this.headersFor(message),
        body: line,
        signal,
        redirect: 'manual',
      });
    const response = await post();
    if (response.status !== 403 || !reopen) return response;
    const text = await response.text();
    if (!isSessionOver(text)) return new Response(text, response);
    // Of requests that find it over together, one opens another.
    if (this.acting.session === session)
      this.reopening ??= reopen()
        .then((id) => {
          if (id !== null) this.acting.session = id;
        })
        .finally(() => (this.reopening = null));
    try {
      await this.reopening;
    } catch (error) {
      throw new NoSession((error as Error).message);
    }
    return this.acting.session === session ? new Response(text, response) : post();
  }

  /** Ends what would go on for as long as the client is there. */
  leave(): void {
    this.stream.end();
    for (const { abort, isListening } of this.underWay) if (isListening) abort.abort();
  }

  /** Breaks off what is under way. */
  close(): void {
    this.stream.end();
    for (const { abort } of this.underWay) abort.abort();
  }

  private cancel(params: unknown): void {
    if (!isObject(params)) return;
    const cancelled = stringifyJson(params['requestId'] ?? null);
    for (const { id, abort } of this.underWay) if (id === cancelled) abort.abort();
  }

  private async relay(response: Response, id: RequestId | null): Promise<void> {
    if (response.headers.get('content-type')?.startsWith('text/event-stream') && response.body) {
      const parser = new SseParser();
      let isAnswered = false;
      try {
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
          for (const { data } of parser.push(chunk)) {
            const message = parsed(data);
            isAnswered ||= id !== null && isObject(message) && !('method' in message);
            this.hand(message, id);
          }
      } catch (error) {
        // What breaks off after the answer has taken nothing from it.
        if (!isAnswered) throw error;
      }
      if (!isAnswered && id !== null) this.fail(id, -32000, 'Haldir ended its answer before it was whole');
      return;
    }
    const text = await response.text();
    // As a notification is.
    if (text === '' && id === null && response.ok) return;
    const message = parsed(text);
    if (Array.isArray(message) || (isObject(message) && message['jsonrpc'] === '2.0')) this.hand(message, id);
    else this.fail(id, -32000, answeredWith(response.status));
  }

  private hand(message: unknown, id: RequestId | null): void {
    if (message === undefined) return;
    if (!isObject(message)) {
      this.write(stringifyJson(message));
      return;
    }
    this.learn(message['result']);
    // What was refused before it was read still answers the request.
    this.write(stringifyJson('error' in message && message['id'] === null ? { ...message, id } : message));
  }

  /** What later requests have to repeat in their headers. */
  private learn(result: unknown): void {
    if (!isObject(result)) return;
    if (typeof result['protocolVersion'] === 'string') {
      this.version = result['protocolVersion'];
      const { capabilities } = result;
      this.isTold = isObject(capabilities) && Object.values(capabilities).some(isTold);
    }
    if (!Array.isArray(result['tools'])) return;
    for (const tool of result['tools'] as unknown[]) {
      if (!isObject(tool) || typeof tool['name'] !== 'string' || !isObject(tool['inputSchema'])) continue;
      this.mirrored.set(tool['name'], mirroredArguments(tool['inputSchema']));
    }
  }

  private headersFor(message: unknown): Record<string, string> {
    const headers: Record<string, string> = {
      ...this.headers,
      ...(this.acting.session === null ? {} : { 'x-session-id': this.acting.session }),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    if (!isObject(message)) return headers;
    const params: JsonObject = isObject(message['params']) ? message['params'] : {};
    const version = isObject(params['_meta']) ? params['_meta'][META.protocolVersion] : undefined;
    if (typeof version !== 'string') {
      return {
        ...headers,
        ...(this.version === null ? {} : { 'mcp-protocol-version': this.version }),
        ...(this.session === null || message['method'] === 'initialize' ? {} : { 'mcp-session-id': this.session }),
      };
    }
    const method = typeof message['method'] === 'string' ? message['method'] : '';
    const subject = subjectOf(method, params);
    const mirrored = method === 'tools/call' ? this.mirrored.get(subject?.value ?? '') : undefined;
    return {
      ...headers,
      'mcp-protocol-version': version,
      'mcp-method': method,
      ...(subject ? { 'mcp-name': headerValue(subject.value) } : {}),
      ...(mirrored && isObject(params['arguments']) ? mirrorHeaders(mirrored, params['arguments']) : {}),
    };
  }

  private fail(id: RequestId | null, code: number, message: string, cause?: unknown): void {
    const reason = cause instanceof Error && cause.cause instanceof Error ? ` (${cause.cause.message})` : '';
    this.write(stringifyJson({ jsonrpc: '2.0', id, error: { code, message: `${message}${reason}` } }));
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Whether a capability says that its list may change, and that it is told. */
function isTold(capability: unknown): boolean {
  return isObject(capability) && capability['listChanged'] === true;
}

/** Whether a refusal says that the session of Haldir is unknown, expired or revoked. */
function isSessionOver(text: string): boolean {
  const message = parsed(text);
  const error = isObject(message) ? message['error'] : undefined;
  const data = isObject(error) ? error['data'] : undefined;
  return isObject(data) && data['code'] === 'invalid_session';
}

function idOf(message: unknown): RequestId | null {
  if (!isObject(message) || typeof message['method'] !== 'string') return null;
  return requestIdIn(message['id']);
}

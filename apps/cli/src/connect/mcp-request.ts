import { parseJson, stringifyJson } from '@haldir/kernel';
import { isObject, type JsonObject, META, type RequestId, requestIdIn, STATELESS_VERSION } from '@haldir/mcp';
import { type Exchange } from './exchange.js';

/** A message that came in the body of an exchange. */
export type Posted =
  | { kind: 'request'; method: string; id: RequestId; message: JsonObject }
  | { kind: 'notification'; method: string; message: JsonObject }
  /** To a request of the server. */
  | { kind: 'reply'; message: JsonObject }
  | { kind: 'invalid' };

const JSON_HEADERS = { 'content-type': 'application/json' };
const EVENT_HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };

/** As servers say it that do not know a session. */
const UNKNOWN_SESSION = -32_001;
const INVALID_REQUEST = -32_600;
export const INTERNAL_ERROR = -32_603;

export function posted({ body }: Exchange): Posted {
  const message = parsed(body ?? '');
  if (!isObject(message)) return { kind: 'invalid' };
  const { method } = message;
  if (typeof method !== 'string')
    return 'result' in message || 'error' in message ? { kind: 'reply', message } : { kind: 'invalid' };
  if (!('id' in message)) return { kind: 'notification', method, message };
  const id = requestIdIn(message['id']);
  return id === null ? { kind: 'invalid' } : { kind: 'request', method, id, message };
}

/** Whether it stands alone, without a session (2026-07-28). */
export function isStateless(headers: Exchange['headers'], message: JsonObject): boolean {
  const params = message['params'];
  const meta = isObject(params) ? params['_meta'] : undefined;
  return (
    headers['mcp-protocol-version'] === STATELESS_VERSION ||
    (isObject(meta) && meta[META.protocolVersion] === STATELESS_VERSION)
  );
}

/** Answers a request with an error. */
export function refuse(exchange: Exchange, status: number, id: RequestId | null, code: number, message: string): void {
  exchange.answer(status, JSON_HEADERS, stringifyJson({ jsonrpc: '2.0', id, error: { code, message } }));
}

export function refuseInvalid(exchange: Exchange): void {
  refuse(exchange, 400, null, INVALID_REQUEST, 'Expected one JSON-RPC message');
}

export function refuseBusy(exchange: Exchange): void {
  refuse(exchange, 503, null, INTERNAL_ERROR, 'The server does not read what it is sent');
}

/** The session is over, or never was. */
export function refuseSession(exchange: Exchange): void {
  const isNamed = exchange.headers['mcp-session-id'] !== undefined;
  if (isNamed) refuse(exchange, 404, null, UNKNOWN_SESSION, 'Session not found');
  else refuse(exchange, 400, null, INVALID_REQUEST, 'Mcp-Session-Id is missing: begin a session with initialize');
}

/** Answers a request in JSON, or, where something is said before, in an event stream. */
export class McpAnswer {
  private hasBegun = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  /** Says something of the server's before the answer. */
  say(message: JsonObject): void {
    this.begin();
    this.exchange.write(eventOf(message));
  }

  end(response: JsonObject, headers: Readonly<Record<string, string>> = {}): void {
    if (!this.hasBegun) {
      this.exchange.answer(200, { ...JSON_HEADERS, ...this.headers, ...headers }, stringifyJson(response));
      return;
    }
    this.exchange.write(eventOf(response));
    this.exchange.end();
  }

  private begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.exchange.begin(200, { ...EVENT_HEADERS, ...this.headers });
  }
}

/** A standing stream, on which a server says what belongs to no request. */
export class McpStream {
  constructor(private readonly exchange: Exchange) {
    exchange.begin(200, EVENT_HEADERS);
  }

  say(message: JsonObject): void {
    this.exchange.write(eventOf(message));
  }

  end(): void {
    this.exchange.end();
  }
}

const eventOf = (message: JsonObject): string => `event: message\ndata: ${stringifyJson(message)}\n\n`;

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

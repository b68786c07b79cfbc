import type { EgressStream, ResponseHeaders } from '@haldir/egress';
import { exactNumber, parseJson, TooDeep, TooManyValues } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { inSession, speaksOfSession } from './after-failure.js';
import { type ProtocolRevision } from './mcp-protocol.js';
import { withoutOwnMembers } from './own-members.js';
import { adviceOn } from './redirect-advice.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';

/** What is to be taken out of an answer before anything else is done with it. */
interface Masking {
  readonly mask?: (message: unknown) => Promise<unknown>;
}

const MAX_MESSAGE_CHARS = 1_000;

/** Statuses by which an endpoint refuses what it does not know, before it acts. */
const BEFORE_ANYTHING = [400, 404, 405, 406, 415];

/**
 * The upstream refused the request as such: it does not know the session, the method or the protocol that was spoken,
 * so it has not acted on the call, where that `isCertain`; else where its session turns out to be over.
 */
export class RejectedUnprocessed extends Error {
  constructor(
    readonly status: number,
    /** The JSON-RPC error in the body, where there is one. */
    readonly rpcError: UpstreamRpcError | null,
    /** Whether that is an answer to the request, by its id. */
    readonly isAnswer = false,
  ) {
    super(`rejected with HTTP ${status}`);
  }

  /** Whether the session is over, as the specification has it; words may be those of a tool. */
  get endsSession(): boolean {
    return (this.status === 404 || this.status === 410) && !this.isAnswer;
  }

  /** Whether nothing was done, whatever becomes of the session: an answer, or a status of the tool's choosing, may follow a deed. */
  get isCertain(): boolean {
    if (BEFORE_ANYTHING.includes(this.status) && !this.isAnswer) return true;
    return this.status === 410 ? !this.isAnswer : isAboutHeaders(this.rpcError, this.status);
  }

  /** Whether it says that the session is over, as the specification has it (404) or in words. */
  get tellsOfSession(): boolean {
    return (
      this.status === 404 ||
      this.status === 410 ||
      (this.rpcError !== null && speaksOfSession(this.rpcError.rpcMessage))
    );
  }

  /** What a caller is told when trying another way did not help. */
  outcome(): UpstreamRpcError | UpstreamUnreachable {
    return this.rpcError ?? new UpstreamUnreachable('http_status', { status: this.status, sent: !this.isCertain });
  }
}

export function mediaType(headers: ResponseHeaders): string {
  const value = headers['content-type'];
  return (typeof value === 'string' ? value : '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** What is done with an answer takes time by its values as much as by its length. */
const MAX_VALUES = 200_000;
const VALUES_LIMIT = 'at most 200,000 values in an answer';

/** What an answer says. @throws UpstreamUnreachable */
export async function parsed(source: string | Buffer, masking: Masking): Promise<unknown> {
  const said = await heard(source, masking);
  if (said instanceof NoJson) throw new UpstreamUnreachable('protocol', masking.mask ? {} : { cause: said.cause });
  return said;
}

/** In place of what a text says: it is no JSON. */
export class NoJson {
  constructor(readonly cause: unknown) {}
}

/** What a text of the upstream says, if it says anything. @throws UpstreamUnreachable */
export async function heard(source: string | Buffer, { mask }: Masking): Promise<unknown> {
  const text = withoutByteOrderMark(typeof source === 'string' ? source : source.toString('utf8'));
  try {
    const message = withoutOwnMembers(parseJson(text, { maxValues: MAX_VALUES }), text);
    return mask ? await mask(message) : message;
  } catch (error) {
    if (error instanceof TooManyValues) throw new UpstreamUnreachable('too_large', { detail: VALUES_LIMIT });
    if (error instanceof SyntaxError && !(error instanceof TooDeep)) return new NoJson(error);
    // What is wrong with a text is said by quoting it.
    throw new UpstreamUnreachable('protocol', mask ? {} : { cause: error });
  }
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** As a number; or as the text of it, as some servers give ids back. */
function isId(value: unknown, id: number): boolean {
  return exactNumber(value) === id || value === String(id);
}

/** The answer to `id`, alone or in a batch; null when it is not there. */
export function findAnswer(message: unknown, id: number): JsonObject | null {
  if (Array.isArray(message)) return message.map((each) => findAnswer(each, id)).find((each) => each !== null) ?? null;
  if (!isObject(message) || !isId(message['id'], id) || 'method' in message) return null;
  return 'result' in message || 'error' in message ? message : null;
}

export function messageIn(message: unknown, id: number): JsonObject {
  const answer = findAnswer(message, id);
  if (!answer) throw new UpstreamUnreachable('protocol', isNobodys(message) ? { cause: new NobodysError() } : {});
  return answer;
}

/** An error in place of an answer, as of a server that did not look at the request's id. */
export class NobodysError extends Error {
  constructor() {
    super('an error that names no request');
  }
}

function isNobodys(message: unknown): boolean {
  return isObject(message) && (message['id'] ?? null) === null && isObject(message['error']);
}

export function resultOf(message: JsonObject, status: number): unknown {
  if (message['error'] === undefined || message['error'] === null) return message['result'];
  throw rpcErrorOf(message['error'], status);
}

/** A JSON-RPC error that came with so much of HTTP. */
export function rpcErrorOf(error: unknown, status: number): UpstreamRpcError {
  const { code, message, data } = isObject(error) ? error : { code: undefined, message: error, data: undefined };
  const text = typeof message === 'string' ? message : 'no message';
  return new UpstreamRpcError(
    Number.isSafeInteger(exactNumber(code)) ? Number(exactNumber(code)) : -32603,
    text.slice(0, MAX_MESSAGE_CHARS).toWellFormed(),
    status,
    data,
  );
}

/** In place of what a body says that broke off, or was more than may be read. */
const UNREAD = Symbol('unread');

/** Of requests that are refused whoever asks; they tell nothing of a session. */
const ABOUT_THE_REQUEST = [408, 409, 413, 429];

/**
 * What an answer outside 2xx means. A JSON-RPC error that carries the request's id is an answer to it, except where it tells
 * that headers or protocol version were not accepted; 404 and 400 without such an answer say that the endpoint does
 * not know what was spoken. These come before any processing. Any other 4xx of a request in a session, and an answer whose words
 * have to do with sessions, may mean that it is over: then nothing was processed, else they are what the tool said. 401 and 403 can be about the session or about who asks, and are for the caller to tell apart; after a 5xx nobody knows.
 */
export async function rejection(
  stream: EgressStream,
  id: number,
  asked: Masking & { readonly revision: ProtocolRevision },
  url: string,
): Promise<Error> {
  const { status } = stream;
  if (status >= 300 && status < 400) {
    stream.cancel();
    return new UpstreamUnreachable('http_status', { status, redirect: adviceOn(url, stream.headers['location']) });
  }
  if (status === 401 || status === 403) {
    stream.cancel();
    return new UpstreamUnreachable('unauthorized', { status });
  }
  const said = await stream
    .bytes()
    .then((bytes) => heard(bytes, asked))
    .catch(() => UNREAD);
  // It may be the answer of a tool that has run.
  if (said === UNREAD) return new UpstreamUnreachable('http_status', { status });
  const message = findAnswer(said, id) ?? said;
  const rpcError = isObject(message) && isObject(message['error']) ? rpcErrorOf(message['error'], status) : null;
  const isOurs = rpcError !== null && isObject(message) && isId(message['id'], id);
  if (isOurs && !deniesTheSpeaker(rpcError, status, asked.revision)) return rpcError;
  if (BEFORE_ANYTHING.includes(status)) return new RejectedUnprocessed(status, rpcError, isOurs);
  if (inSession(asked.revision) && status > 400 && status < 500 && !ABOUT_THE_REQUEST.includes(status))
    return new RejectedUnprocessed(status, rpcError, isOurs);
  return isOurs ? rpcError : new UpstreamUnreachable('http_status', { status });
}

/** -32020 header mismatch, -32022 unsupported version. */
function isAboutHeaders(error: UpstreamRpcError | null, status: number): boolean {
  return (error?.rpcCode === -32020 || error?.rpcCode === -32022) && (status === 400 || status === 404);
}

/** Of headers, or, in a session, with words that may be about it. */
function deniesTheSpeaker(error: UpstreamRpcError, status: number, revision: ProtocolRevision): boolean {
  if (status < 400 || status > 499) return false;
  if (error.rpcCode === -32020 || error.rpcCode === -32022) return isAboutHeaders(error, status);
  return inSession(revision) && speaksOfSession(error.rpcMessage);
}

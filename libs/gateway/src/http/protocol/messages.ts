import { stringifyJson, VERSION } from '@haldir/kernel';
import { isObject, type JsonObject, type RequestId, requestIdIn } from '@haldir/mcp';

/** How a client speaks: in requests that stand alone, or after a handshake. */
export type Revision = 'stateless' | 'handshake';

export const SERVER_INFO = { name: 'haldir', title: 'Haldir', version: VERSION } as const;

export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const INTERNAL_ERROR = -32603;
/** For what JSON-RPC has no code of its own: authentication, limits, HTTP. */
export const SERVER_ERROR = -32000;
export const HEADER_MISMATCH = -32020;
/** The client did not declare a capability that the call needs; the one error of a tool that HTTP shows, too. */
export const MISSING_CAPABILITY = -32021;

/** Something has to be done at an address first (2025-11-25). */
export const URL_ELICITATION_REQUIRED = -32042;

export interface RpcRequest {
  id: RequestId;
  method: string;
  params: JsonObject;
}

/** What a client has answered to a request of the server; null for an error. */
export interface RpcAnswer {
  id: RequestId;
  result: JsonObject | null;
}

/** A failure in JSON-RPC's terms. With status 200 it is an answer like any other; else HTTP shows it, too. */
export class RpcError extends Error {
  readonly status: number;
  readonly data: unknown;

  constructor(
    readonly code: number,
    message: string,
    { status = 200, data }: { status?: number; data?: unknown } = {},
  ) {
    super(message);
    this.status = status;
    this.data = data;
  }
}

/** A result whose JSON text is there already, in parts. */
export class JsonText {
  constructor(readonly parts: readonly (string | Buffer)[]) {}
}

/** That a call goes on as a task: what is said of it at first. */
export class StartedTask {
  constructor(readonly facts: JsonObject) {}
}

export type Result = JsonObject | JsonText;

/** The text of a response; in UTF-8 where that takes less work. */
export function toResponse(id: RequestId, result: Result): string | Buffer {
  const begin = `{"jsonrpc":"2.0","id":${stringifyJson(id)},"result":`;
  if (!(result instanceof JsonText)) return `${begin}${stringifyJson(result)}}`;
  return Buffer.concat(
    [begin, ...result.parts, '}'].map((part) => (typeof part === 'string' ? Buffer.from(part) : part)),
  );
}

/** The text of an error response; `id` is null when the request's could not be read. */
export function toErrorResponse(id: RequestId | null, { code, message, data }: RpcErrorFacts): string {
  return stringifyJson({ jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } });
}

type RpcErrorFacts = Pick<RpcError, 'code' | 'message' | 'data'>;

/** The id of the one request in a body; null when there is none, or more than one. */
export function idIn(body: unknown): RequestId | null {
  if (!isObject(body) || typeof body['method'] !== 'string') return null;
  return requestIdIn(body['id']);
}

import { type IncomingHttpHeaders } from 'node:http';
import { classifyInboundRequest, isJsonContentType } from '@modelcontextprotocol/server';
import { InvalidInput, isNumber, isWhole } from '@haldir/kernel';
import { UnsupportedMedia } from '@haldir/http';
import { HANDSHAKE_VERSIONS, isObject, type RequestId, requestIdIn, STATELESS_VERSION } from '@haldir/mcp';
import { checkHeaders, headerOf } from './mcp-headers.js';
import {
  type Revision,
  INVALID_REQUEST,
  PARSE_ERROR,
  type RpcAnswer,
  RpcError,
  type RpcRequest,
  SERVER_ERROR,
} from './messages.js';

/** What came in with one POST. */
export interface Post {
  revision: Revision;
  /** Whether they came as a list, and are answered as one. */
  isBatch: boolean;
  /** In their order; empty when there were only notifications and answers, which ask for nothing. */
  requests: RpcRequest[];
  /** Ids of requests that are not wanted any more. */
  cancelled: RequestId[];
  /** To what the client was asked in the middle of a call. */
  answers: RpcAnswer[];
}

/** The only revisions that know batches; a client that names none speaks one of them. */
const BATCH_VERSIONS: readonly (string | undefined)[] = [undefined, '2025-03-26', '2024-11-05'];
const MAX_BATCH = 50;
const UNSUPPORTED_VERSION = -32022;

/**
 * Reads a POST: the official classifier tells the revisions apart and refuses what is neither.
 *
 * @param sent parsed, or the refusal of one that is no JSON
 * @throws RpcError
 */
export function readPost(headers: IncomingHttpHeaders, sent: unknown): Post {
  const body = withoutNulls(sent);
  if (!isJsonContentType(headers['content-type'] ?? null))
    throw new RpcError(SERVER_ERROR, 'Content-Type: expected application/json', { status: 415 });
  if (body instanceof UnsupportedMedia) throw new RpcError(SERVER_ERROR, body.message, { status: 415 });
  if (body instanceof InvalidInput) throw new RpcError(PARSE_ERROR, body.message, { status: 400 });
  if (body === undefined) throw new RpcError(PARSE_ERROR, 'request body: expected a JSON-RPC message', { status: 400 });

  const route = classifyInboundRequest({
    httpMethod: 'POST',
    body: withReadableIds(body),
    ...standardHeaders(headers),
  });
  if (route.kind === 'reject')
    throw new RpcError(route.code, route.message, { status: route.httpStatus, data: route.data });
  return route.kind === 'modern'
    ? {
        revision: 'stateless',
        isBatch: false,
        cancelled: [],
        answers: [],
        requests: statelessRequests(headers, body, route.classification.revision),
      }
    : {
        revision: 'handshake',
        isBatch: Array.isArray(body),
        cancelled: cancelledBy(body),
        answers: answersIn(body),
        requests: handshakeRequests(headers, body),
      };
}

function statelessRequests(headers: IncomingHttpHeaders, body: unknown, revision: string | undefined): RpcRequest[] {
  if (revision !== STATELESS_VERSION) {
    const supported = [STATELESS_VERSION];
    throw new RpcError(UNSUPPORTED_VERSION, `Unsupported protocol version; supported: ${STATELESS_VERSION}`, {
      status: 400,
      data: { supported, requested: revision ?? null },
    });
  }
  const request = toRequest(body);
  if (!request) return [];
  checkHeaders(headers, request);
  return [request];
}

function handshakeRequests(headers: IncomingHttpHeaders, body: unknown): RpcRequest[] {
  const version = headerOf(headers, 'mcp-protocol-version');
  const messages = messagesOf(body);
  const requests = messages.flatMap((message) => toRequest(message) ?? []);
  const isHandshake = requests.some(({ method }) => method === 'initialize');
  if (!isHandshake && version !== undefined && !HANDSHAKE_VERSIONS.includes(version)) {
    throw new RpcError(
      SERVER_ERROR,
      `MCP-Protocol-Version: expected one of ${[STATELESS_VERSION, ...HANDSHAKE_VERSIONS].join(', ')}`,
      { status: 400 },
    );
  }
  if (Array.isArray(body)) {
    if (!BATCH_VERSIONS.includes(version)) throw invalidBatch('This protocol version has no batches');
    if (messages.length > MAX_BATCH) throw invalidBatch(`expected at most ${MAX_BATCH} messages`);
    if (isHandshake) throw invalidBatch('initialize: expected alone');
  }
  return requests;
}

/** Parameters that some clients write out when they have none: null, or an empty cursor, is as good as nothing. */
function withoutNulls(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withoutNulls);
  if (!isObject(body) || typeof body['method'] !== 'string' || !('params' in body)) return body;
  const { params, ...rest } = body;
  if (params === null) return rest;
  if (!isObject(params)) return body;
  const said = Object.entries(params).filter(
    ([name, value]) => !(OFTEN_EMPTY.includes(name) && value === null) && !(name === 'cursor' && value === ''),
  );
  return { ...rest, params: Object.fromEntries(said) };
}

const OFTEN_EMPTY = ['arguments', '_meta', 'cursor', 'inputResponses', 'requestState'];

/** What the classifier reads as a double has to be an integer that one holds; here an id is any integer, however it is written. */
function withReadableIds(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withReadableIds);
  if (!isObject(body)) return body;
  return isNumber(body['id']) ? { ...body, id: isWhole(body['id']) ? 0 : 0.5 } : body;
}

function messagesOf(body: unknown): unknown[] {
  return Array.isArray(body) ? body : [body];
}

function answersIn(body: unknown): RpcAnswer[] {
  return messagesOf(body).flatMap((message) => {
    if (!isObject(message) || 'method' in message) return [];
    const { result } = message;
    const id = requestIdIn(message['id']);
    if (id === null) return [];
    return [{ id, result: isObject(result) ? result : null }];
  });
}

function cancelledBy(body: unknown): RequestId[] {
  return messagesOf(body).flatMap((message) => {
    if (!isObject(message) || message['method'] !== 'notifications/cancelled' || 'id' in message) return [];
    const id = isObject(message['params']) ? requestIdIn(message['params']['requestId']) : null;
    return id === null ? [] : [id];
  });
}

function invalidBatch(message: string): RpcError {
  return new RpcError(INVALID_REQUEST, message, { status: 400 });
}

function standardHeaders(headers: IncomingHttpHeaders) {
  const version = headerOf(headers, 'mcp-protocol-version');
  const method = headerOf(headers, 'mcp-method');
  const name = headerOf(headers, 'mcp-name');
  return {
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
  };
}

/** The request in a message that was found well-formed; null for a notification or an answer. */
function toRequest(message: unknown): RpcRequest | null {
  if (!isObject(message) || typeof message['method'] !== 'string') return null;
  const { method, params } = message;
  const id = requestIdIn(message['id']);
  if (id === null) return null;
  return { id, method, params: isObject(params) ? params : {} };
}

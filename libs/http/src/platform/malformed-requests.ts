import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { SECURITY_HEADERS } from './request-hooks.js';

/** How long a client may go on sending what nobody reads any more. */
const LINGER_MS = 2_000;

/** Answers an address that the router cannot read, before any hook runs: not with the address itself, as Fastify would. */
export function refuseAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const isTooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
  void reply
    .headers({ ...SECURITY_HEADERS, 'access-control-allow-origin': '*', 'x-request-id': request.id })
    .status(isTooLong ? 404 : 400)
    .send({
      error: isTooLong ? 'Not found' : 'path: expected percent-encoded UTF-8',
      code: isTooLong ? 'not_found' : 'invalid',
      request_id: request.id,
      ...(isTooLong ? {} : { field: 'path' }),
    });
}

const REFUSALS: Readonly<Record<string, [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'too_large',
    'Address and headers are larger than 16 KiB',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout', 'The request took too long to arrive'],
};
const NO_HTTP = ['400 Bad Request', 'invalid', 'The request is not HTTP/1.1'] as const;

/**
 * Answers what is no HTTP, and ends the connection. What the client still sends is read for a moment and thrown away:
 * closing over unread bytes would reset the connection, and take the answer with it.
 */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  // The parser reports what comes after its first error as further errors.
  if (!socket.writable) return;
  const [status, code, message] = REFUSALS[error.code ?? ''] ?? NO_HTTP;
  const { headers, body } = refusal(code, message);
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${head.join('')}\r\n${body}`);
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** Answers an `Expect` that is not `100-continue`. */
export function refuseExpectation(_: IncomingMessage, response: ServerResponse): void {
  const { headers, body } = refusal('expectation_failed', 'Expect: expected 100-continue or nothing');
  response.writeHead(417, headers).end(body);
}

/** What is answered where there is no request yet; the connection ends with it. */
function refusal(code: string, message: string): { headers: Record<string, string | number>; body: string } {
  const requestId = randomUUID();
  const body = JSON.stringify({ error: message, code, request_id: requestId });
  const headers = {
    ...SECURITY_HEADERS,
    'access-control-allow-origin': '*',
    'x-request-id': requestId,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  return { headers, body };
}

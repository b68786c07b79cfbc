import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { canonicalJson, InvalidInput, type JsonValue } from '@haldir/kernel';
import { type HaldirReply, type HaldirRequest } from '../auth/caller.js';

/** A request that changes something, as its idempotency sees it. */
export interface WriteRequest {
  tenantId: string;
  /** Who asks: what one asked for is answered again to nobody else. Empty where no credential is asked for. */
  principal: string;
  route: string;
  /** Null when the request carries no `Idempotency-Key`. */
  idempotencyKey: string | null;
  fingerprint: () => Buffer;
  reply: HaldirReply;
}

/** The write a route serves; pass it to `Writes`. */
export const Write = createParamDecorator((_: unknown, context: ExecutionContext): WriteRequest => {
  const http = context.switchToHttp();
  const request = http.getRequest<HaldirRequest>();
  return {
    tenantId: request.caller?.actor.tenantId ?? '',
    principal: request.caller?.actor.id ?? '',
    route: `${request.method} ${request.routeOptions.url ?? ''}`,
    idempotencyKey: readIdempotencyKey(request.headers['idempotency-key']),
    fingerprint: () =>
      createHash('sha256')
        .update(canonicalJson((request.rawBody ?? null) as JsonValue))
        .update('\0')
        .update(request.url)
        .digest(),
    reply: http.getResponse<HaldirReply>(),
  };
});

/** The write that a request asks for by its content rather than by its route. */
export function writeOf(
  request: HaldirRequest,
  reply: HaldirReply,
  route: string,
  content: () => JsonValue,
): WriteRequest {
  return {
    tenantId: request.caller?.actor.tenantId ?? '',
    principal: request.caller?.actor.id ?? '',
    route,
    idempotencyKey: readIdempotencyKey(request.headers['idempotency-key']),
    fingerprint: () => createHash('sha256').update(canonicalJson(content())).digest(),
    reply,
  };
}

/** Bare or as an RFC 8941 String in quotes. */
function readIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const [, quoted, bare] =
    /^(?:"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21-\x7e]{1,255}))$/.exec(String(header)) ?? [];
  const key = quoted ?? bare;
  if (key === undefined) throw new InvalidInput('Idempotency-Key: expected 1 to 255 visible ASCII characters');
  return key;
}

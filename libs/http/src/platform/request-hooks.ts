import { randomUUID } from 'node:crypto';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { InvalidInput } from '@haldir/kernel';
import { type Log, type Metrics } from '@haldir/runtime';
import { type HaldirRequest } from '../auth/caller.js';
import { type KnownRoutes } from './unknown-routes.js';

const SAFE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,64}$/;

/** Whoever takes nothing of an answer for so long does not get the rest of it. */
const UNREAD_MS = 60_000;

/** A request's id: the caller's own when it is safe to repeat and log. */
export function requestId(raw: { headers: Record<string, string | string[] | undefined> }): string {
  const sent = raw.headers['x-request-id'];
  return typeof sent === 'string' && SAFE_REQUEST_ID.test(sent) ? sent : randomUUID();
}

/** What every answer carries. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'cross-origin',
  'strict-transport-security': 'max-age=31536000',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** Routes that serve pages for humans, and what a browser may do there. */
export interface Pages {
  /** Of the routes' templates, such as `/docs`. */
  prefix: string;
  /** In addition to the security headers of every answer, or in place of them. */
  headers: Readonly<Record<string, string>>;
}

/** What answers of a route carry, by its template; a path that no route serves has none. Asked for every request. */
function headersByRoute(pages: readonly Pages[]): (route: string | undefined) => Readonly<Record<string, string>> {
  const known = pages.map(({ prefix, headers }) => ({
    ...{ prefix, below: `${prefix}/` },
    headers: { ...SECURITY_HEADERS, ...headers },
  }));
  return (route) =>
    known.find(({ prefix, below }) => route === prefix || route?.startsWith(below))?.headers ?? SECURITY_HEADERS;
}

/** What every answer carries, and what is kept of every request: one log line and one observation, by route template. */
export function useRequestHooks(
  fastify: FastifyInstance,
  routes: KnownRoutes,
  pages: readonly Pages[],
  log: Log,
  metrics: Metrics,
): void {
  const headersOf = headersByRoute(pages);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(headersOf(request.routeOptions.url));
    reply.header('x-request-id', request.id);
    if (request.is404 && refuseUnknown(request, reply, routes)) return;
    done(request.url.includes('%00') ? new InvalidInput('path or query: expected no NUL character') : undefined);
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    // Destroys the connection: nobody else listens for it.
    reply.raw.setTimeout(UNREAD_MS);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    record(request, reply, log, metrics);
    done();
  });
}

/** Nobody serves the path: 404; or not with this method: 405. A CORS preflight goes on to its own handler. */
function refuseUnknown(request: FastifyRequest, reply: FastifyReply, routes: KnownRoutes): boolean {
  const methods = routes.methodsOf(request.url.split('?')[0] ?? '');
  if (request.method === 'OPTIONS' && methods) return false;
  if (methods) void reply.header('allow', methods.join(', '));
  void reply
    .header('access-control-allow-origin', '*')
    .status(methods ? 405 : 404)
    .send({
      error: methods ? 'Method not allowed' : 'Not found',
      code: methods ? 'method_not_allowed' : 'not_found',
      request_id: request.id,
    });
  return true;
}

function record(request: FastifyRequest, reply: FastifyReply, log: Log, metrics: Metrics): void {
  const route = request.routeOptions.url ?? 'unmatched';
  const { caller } = request as HaldirRequest;
  metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
  log.info({
    event: 'http.request',
    request_id: request.id,
    method: request.method,
    route,
    status: reply.statusCode,
    duration_ms: Math.round(reply.elapsedTime * 100) / 100,
    tenant_id: caller?.actor.tenantId,
    key_id: caller?.keyId,
  });
}

import { randomUUID } from 'node:crypto';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { InvalidInput } from '@haldir/kernel';
import { type Log, type Metrics } from '@haldir/runtime';
import { type ApiKeyGuard } from '../auth/api-key.guard.js';
import { Unauthenticated } from '../auth/authenticator.js';
import { hasCredential, type HaldirRequest } from '../auth/caller.js';
import { type Pages, SCRIPTED_PAGE, type ServedPages } from './pages.js';
import { settingsOf } from './route-settings.js';
import { type KnownRoutes } from './known-routes.js';

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

/** What answers of a route carry, by its template; a path that no route serves has none. Asked for every request. */
function headersByRoute(pages: readonly Pages[]): (route: string | undefined) => Readonly<Record<string, string>> {
  const known = pages.map(({ prefix, headers }) => ({
    prefix,
    below: `${prefix}/`,
    headers: { ...SECURITY_HEADERS, ...headers },
  }));
  return (route) =>
    known.find(({ prefix, below }) => route === prefix || route?.startsWith(below))?.headers ?? SECURITY_HEADERS;
}

/** What every answer carries, and what is kept of every request: one log line and one observation, by route template. */
export function useRequestHooks(
  fastify: FastifyInstance,
  routes: KnownRoutes,
  pages: ServedPages,
  guard: ApiKeyGuard,
  log: Log,
  metrics: Metrics,
): void {
  const headersOf = headersByRoute(pages.served);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(headersOf(request.routeOptions.url));
    reply.header('x-request-id', request.id);
    done(lacksHost(request) ? new InvalidInput('Host: expected in every HTTP/1.1 request') : undefined);
  });
  // After CORS, so that a refusal can be read by pages, and before the body is read.
  fastify.addHook('preParsing', (request, reply, _, done) => {
    if (request.method === 'OPTIONS') {
      sayOptions(request, reply, routes, pages);
      return;
    }
    admit(request, reply, guard).then(
      () => {
        if (request.is404) refuseUnknown(request, reply, routes, pages);
        else done(malformed(request.url));
      },
      (error: unknown) => done(error as Error),
    );
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

/** What is wrong with how an address is written; null for nothing. What is no text would be read as another, or as U+FFFD. */
function malformed(url: string): InvalidInput | null {
  if (url.includes('%00')) return new InvalidInput('path or query: expected no NUL character');
  const at = url.indexOf('?');
  const [path, query] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
  if (!isText(path)) return new InvalidInput(`path: ${TEXT_EXPECTED}`);
  for (const pair of isText(query) ? [] : query.split('&')) {
    const [name = ''] = pair.split('=', 1);
    if (!isText(name)) return new InvalidInput(`query: ${TEXT_EXPECTED} in names`);
    if (!isText(pair)) return new InvalidInput(`${NAMED.test(name) ? name : 'query'}: ${TEXT_EXPECTED}`);
  }
  return null;
}

const TEXT_EXPECTED = 'expected percent-encoded UTF-8';
const NAMED = /^[A-Za-z0-9_]{1,64}$/;
/** What is not written in percent signs comes byte by byte. */
const ASCII = /^[\x20-\x7e]*$/;

function isText(part: string): boolean {
  if (!ASCII.test(part)) return false;
  if (!part.includes('%')) return true;
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

/** Looks at the key, where the route asks for one; of a path that nobody serves, at one that was sent. */
async function admit(request: HaldirRequest, reply: FastifyReply, guard: ApiKeyGuard): Promise<void> {
  const { admits } = settingsOf(request);
  if (admits === 'only a key' || (admits === 'a key' && hasCredential(request))) await guard.admit(request, reply);
  else if (request.is404 && hasCredential(request)) {
    await guard.admit(request, reply).catch((error: unknown) => {
      if (!(error instanceof Unauthenticated)) throw error;
    });
  }
}

const isPreflight = ({ headers }: FastifyRequest): boolean =>
  headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

const lacksHost = ({ headers, raw }: FastifyRequest): boolean =>
  headers.host === undefined && raw.httpVersionMajor === 1 && raw.httpVersionMinor === 1;

/** What a path takes. A preflight is told so of any: a page may read that there is no such path. */
function sayOptions(request: FastifyRequest, reply: FastifyReply, routes: KnownRoutes, pages: ServedPages): void {
  const methods = methodsOf(request, routes);
  if (methods) void reply.header('allow', methods.join(', '));
  if (methods || isPreflight(request)) void reply.headers(FOR_ANY_PAGE).status(204).send();
  else refuseUnknown(request, reply, routes, pages);
}

const FOR_ANY_PAGE = { 'access-control-allow-origin': '*' };

/** Nobody serves the path: 404, as a page where it may be somebody's in a browser; or not with this method: 405. */
function refuseUnknown(request: FastifyRequest, reply: FastifyReply, routes: KnownRoutes, pages: ServedPages): void {
  const methods = methodsOf(request, routes);
  const page = methods ? null : pages.unknown(request);
  if (page !== null) {
    void reply.headers(SCRIPTED_PAGE).header('content-type', 'text/html; charset=utf-8').status(404).send(page);
    return;
  }
  if (methods) void reply.header('allow', methods.join(', '));
  void reply
    .headers(FOR_ANY_PAGE)
    .status(methods ? 405 : 404)
    .send({
      error: methods ? 'Method not allowed' : 'Not found',
      code: methods ? 'method_not_allowed' : 'not_found',
      request_id: request.id,
    });
}

function methodsOf({ url }: FastifyRequest, routes: KnownRoutes): string[] | null {
  const methods = routes.methodsOf(url.split('?')[0] ?? '');
  return methods && [...methods, 'OPTIONS'];
}

function record(request: FastifyRequest, reply: FastifyReply, log: Log, metrics: Metrics): void {
  const route = request.routeOptions.url ?? 'unmatched';
  const { caller } = request as HaldirRequest;
  const { waits = false } = settingsOf(request);
  metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000, waits);
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

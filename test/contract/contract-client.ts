import { type Client, type Reply } from '@haldir/test-support';
import { parseList } from 'structured-headers';
import { ApiDocument, type Json, type Operation, pathOf } from './api-document.js';

/** What a call sends besides its key. */
export interface Input {
  path?: Record<string, string>;
  query?: Json;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Which answers were seen, as `operationId status`. */
export type Seen = Set<string>;

/** Answers that behaviour, not the document, adds to an operation: a key without the scope, a retry that changed its mind, … */
const BEYOND_THE_DOCUMENT = [400, 403, 404, 409, 413, 415, 422, 429, 502];
/** Refusals with a body of their own. */
const OWN_REFUSALS = ['authorizePayment 403', 'holdPayment 403', 'proxyCall 403', 'proxyCall 404'];

const SECURITY_HEADERS: Readonly<Record<string, RegExp>> = {
  'x-content-type-options': /^nosniff$/,
  'x-frame-options': /^(DENY|SAMEORIGIN)$/,
  'referrer-policy': /./,
  'content-security-policy': /./,
  'strict-transport-security': /^max-age=\d+/,
};

/** A client that knows the contract and nothing else, and is surprised by any answer that is not in it. */
export class ContractClient {
  constructor(
    private readonly client: Client,
    readonly seed: ApiDocument = ApiDocument.seed(),
    readonly seen: Seen = new Set(),
  ) {}

  /** The same contract with another key. */
  as(client: Client): ContractClient {
    return new ContractClient(client, this.seed, this.seen);
  }

  /** @throws Error that says how the answer differs from the contract */
  async call<Body = Json>(id: string, input: Input = {}): Promise<Reply<Body>> {
    const operation = this.seed.operation(id);
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(input.query ?? {})) query.set(name, String(value));
    const path = pathOf(operation, input.path ?? {}) + (query.size > 0 ? `?${query.toString()}` : '');
    const reply = await this.client.send<Body>(operation.method, path, input.body, input.headers);
    const problems = [...bodyProblems(this.seed, operation, reply), ...headerProblems(operation, reply)];
    if (problems.length > 0) {
      throw new Error(
        `${operation.method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}\n${problems.join('\n')}`,
      );
    }
    this.seen.add(`${id} ${reply.status}`);
    return reply;
  }

  /**
   * Puts each of the values in its field's place, `undefined` for leaving it out.
   *
   * @param input that would succeed
   * @param mistakes wrong values of a member of the body, or of the query where there is no body
   * @throws Error unless each is answered by a 400 whose `error` begins with the field's name
   */
  async refuses(id: string, input: Input, mistakes: Record<string, unknown[]>): Promise<void> {
    const place = input.body === undefined ? 'query' : 'body';
    const cases = Object.entries(mistakes).flatMap(([field, values]) => values.map((value) => ({ field, value })));
    await Promise.all(
      cases.map(async ({ field, value }) => {
        const { status, body } = await this.call(id, {
          ...input,
          [place]: { ...(input[place] as Json), [field]: value },
        });
        if (status === 400 && String(body['error']).startsWith(field)) return;
        const sent = JSON.stringify(value)?.slice(0, 100);
        throw new Error(`${id} with ${field} ${sent}: ${status} ${JSON.stringify(body)}`);
      }),
    );
  }

  /** The documented answers of the operations with one of these tags that no call has seen. */
  unseen(...tags: string[]): string[] {
    return this.seed.operations
      .filter((operation) => operation.tags.some((tag) => tags.includes(tag)))
      .flatMap(({ id, statuses }) => statuses.map((status) => `${id} ${status}`))
      .filter((answer) => !this.seen.has(answer));
  }
}

/** How the body of an answer differs from what the document says; behaviour may add refusals that look like its `Error`. */
export function bodyProblems(
  document: ApiDocument,
  operation: Operation,
  { status, headers, body }: Reply<unknown>,
): string[] {
  const contentType = headers.get('content-type') ?? '';
  const found: string[] = [];
  if (operation.statuses.includes(status)) found.push(...document.problems(operation, status, contentType, body));
  else if (!BEYOND_THE_DOCUMENT.includes(status)) found.push(`${operation.id} does not answer ${status}`);
  if (status < 400) return found;

  if (!/^application\/json\b/.test(contentType)) found.push(`content-type is ${contentType}`);
  if (OWN_REFUSALS.includes(`${operation.id} ${status}`)) return found;

  const { error, code, request_id: requestId } = body as Json;
  found.push(...document.errorProblems(body));
  if (typeof error !== 'string' || error === '') found.push('error says nothing');
  if (typeof code !== 'string' || !/^[a-z_]+$/.test(code)) found.push('code is no code');
  if (requestId !== headers.get('x-request-id')) found.push('request_id is not that of the header');
  return found;
}

/** How the headers of an answer differ from what every answer carries, and every answer to a key. */
export function headerProblems({ secured, id }: Operation, { status, headers }: Reply<unknown>): string[] {
  const found = Object.entries(SECURITY_HEADERS)
    .filter(([name, value]) => !value.test(headers.get(name) ?? ''))
    .map(([name]) => `${name} is ${headers.get(name)}`);
  if (!/^[\x21-\x7e]{1,64}$/.test(headers.get('x-request-id') ?? '')) found.push('no X-Request-ID');
  if (headers.get('access-control-allow-origin') !== '*') found.push('no CORS for any origin');
  // Without a key there is no quota to tell of; the first key of a tenant is made without one.
  if (!secured || status === 401 || id === 'createApiKey') return found;
  return [...found, ...quotaProblems(headers, status)];
}

/** Reads the quota out of both families of headers, with a parser of RFC 9651, and compares. */
export function quotaProblems(headers: Headers, status: number): string[] {
  const number = (name: string): number => Number(headers.get(name) ?? NaN);
  const [limit, remaining, used, reset, resetAfter] = ['limit', 'remaining', 'used', 'reset', 'reset-after'].map(
    (name) => number(`x-ratelimit-${name}`),
  ) as [number, number, number, number, number];
  const [state, more] = parseList(headers.get('ratelimit') ?? '');
  const [policy] = parseList(headers.get('ratelimit-policy') ?? '');
  if (!state || !policy || more) return ['RateLimit and RateLimit-Policy are not one item each'];
  const claims: [string, boolean][] = [
    ['both fields name the same policy', typeof state[0] === 'string' && state[0] === policy[0]],
    ['q is the limit', policy[1].get('q') === limit && Number.isInteger(limit)],
    ['w is an hour', policy[1].get('w') === 3600],
    ['r is what remains', state[1].get('r') === remaining],
    ['t is the time to the reset', state[1].get('t') === resetAfter && resetAfter >= 0 && resetAfter <= 3660],
    ['used and remaining make the limit', used + remaining === limit],
    ['the reset is that far away', Math.abs(reset - Date.now() / 1000 - resetAfter) < 5],
    ['the resource is hourly', headers.get('x-ratelimit-resource') === 'hourly'],
    ['Retry-After is t', status !== 429 || Math.abs(number('retry-after') - resetAfter) <= 1],
  ];
  return claims.filter(([, holds]) => !holds).map(([claim]) => `not so: ${claim}`);
}

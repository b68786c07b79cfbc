import { type Json, type Operation, pathOf } from '../../contract/api-document.js';
import { type Input } from '../../contract/contract-client.js';
import { type Canaries, type Canary } from './canaries.js';

/** A request that carries a canary somewhere. */
export interface Push {
  canary: Canary;
  method: string;
  path: string;
  body?: string;
  headers: Record<string, string>;
}

/** What a text can be made into; `as` names the place it takes in the request. */
export const VALUES: Record<string, (text: string) => unknown> = {
  'a text': (text) => text,
  'a long text': (text) => text + 'x'.repeat(4_100),
  'an awkward text': (text) => `'"\\/<é%0a\u2028 ${text} {"a":1}`,
  'a control character': (text) => `${text}\u0000`,
  'a list': (text) => [text],
  'an object': (text) => ({ [text]: text, message: text }),
  'a list of objects': (text) => [{ name: text }],
};

/** Headers that an operation may read, or that a framework likes to log. */
const HEADERS: Record<string, (text: string) => string> = {
  authorization: (text) => `Bearer ${text}`,
  'x-api-key': (text) => text,
  'x-session-id': (text) => text,
  'idempotency-key': (text) => text,
  // Safe ones are repeated and logged; this is not one.
  'x-request-id': (text) => `${text} !`,
  'content-type': (text) => `text/${text}`,
  accept: (text) => `text/${text}`,
  cookie: (text) => `session=${text}`,
  'user-agent': (text) => text,
  referer: (text) => `http://example.com/?token=${text}`,
  origin: (text) => `http://${text}.example`,
  'x-forwarded-for': (text) => text,
  'if-none-match': (text) => `"${text}"`,
  'mcp-session-id': (text) => text,
  traceparent: (text) => text,
};

/** Whole bodies, most of them broken, around a valid one. */
const BODIES: Record<string, (text: string, valid: Json) => string> = {
  'an unknown member': (text, valid) => JSON.stringify({ ...valid, unknown: text }),
  "a member's name": (text, valid) => JSON.stringify({ ...valid, [text]: 1 }),
  '__proto__': (text) => `{"__proto__": {"a": ${JSON.stringify(text)}}}`,
  'a truncated body': (text, valid) => JSON.stringify({ value: text, ...valid }).slice(0, -3),
  'a body that is no JSON': (text) => `value=${text}`,
  'a bare text': (text) => JSON.stringify(text),
  'a list': (text) => JSON.stringify([text]),
  'a deep body': (text) => `${'{"a":'.repeat(80)}${JSON.stringify(text)}${'}'.repeat(80)}`,
  'a body that is too large': (text, valid) => JSON.stringify({ ...valid, value: text + 'x'.repeat(1024 * 1024) }),
}; // prettier-ignore

/**
 * Every place of a request that can carry a text: parameters of path and query, headers, members of the body.
 *
 * @param input with which the operation succeeds
 * @param origin of a server that may be named in a URL
 */
export function pushesOf(operation: Operation, input: Input, canaries: Canaries, origin: string): Push[] {
  const { id, method, parameters } = operation;
  const valid = (input.body ?? {}) as Json;
  const body = operation.body ? JSON.stringify(valid) : undefined;
  const names = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  const path = { ...Object.fromEntries(names.map((name) => [name, 'nothing'])), ...input.path };
  const query = Object.fromEntries(Object.entries(input.query ?? {}).map(([name, value]) => [name, String(value)]));
  const pushes: Push[] = [];
  const push = (place: string, request: (text: string) => Partial<Omit<Push, 'canary'>>): void => {
    const canary = canaries.next(id, place);
    const made = request(canary.text);
    const sent = made.body ?? body;
    pushes.push({
      canary,
      method,
      path: made.path ?? addressed(operation, path, query),
      headers: { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...made.headers },
      ...(sent === undefined || method === 'GET' ? {} : { body: sent }),
    });
  };

  for (const name of names) {
    push(`path ${name}`, (text) => ({ path: addressed(operation, { ...path, [name]: text }, query) }));
  }
  for (const name of new Set([...queryNames(operation), 'session_id', 'token', 'cursor', 'unknown'])) {
    push(`query ${name}`, (text) => ({ path: addressed(operation, path, { ...query, [name]: text }) }));
  }
  for (const [name, write] of Object.entries(HEADERS))
    push(`header ${name}`, (text) => ({ headers: { [name]: write(text) } }));
  if (!operation.body) return pushes;

  for (const [as, write] of Object.entries(BODIES)) push(as, (text) => ({ body: write(text, valid) }));
  for (const name of Object.keys(operation.body['properties'] ?? valid)) {
    for (const [as, write] of Object.entries(VALUES)) {
      push(`${name} as ${as}`, (text) => ({ body: JSON.stringify({ ...valid, [name]: write(text) }) }));
    }
    if (name === 'url')
      // Of what is made, under a name of its own, so that nothing later takes its place.
      push('url with a token', (text) => ({
        body: JSON.stringify({
          ...valid,
          ...(method === 'POST' ? { name: `u${pushes.length}` } : {}),
          url: `${origin}/?token=${text}`,
        }),
      }));
  }
  return pushes;
}

function addressed(operation: Operation, path: Record<string, string>, query: Record<string, string>): string {
  const search = new URLSearchParams(query).toString();
  return pathOf(operation, path) + (search === '' ? '' : `?${search}`);
}

function queryNames({ parameters }: Operation): string[] {
  return parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
}

import { connect } from 'node:net';
import { BareMcp, Client, startWorld, type World } from '@haldir/test-support';
import { ApiDocument, type Json, type Operation } from './api-document.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const RATE_HEADERS = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'ratelimit', 'ratelimit-policy'];

let world: World;
let tenant: Client;
let served: ApiDocument;
beforeAll(async () => {
  world = await startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } });
  tenant = await world.newTenant();
  served = await ApiDocument.servedBy(tenant);
});
afterAll(() => world.stop());

const pathOf = ({ path }: Operation): string => path.replaceAll(/\{\w+\}/g, '1');
const secured = (): Operation[] =>
  served.operations.filter(({ path, secured: asks }) => path.startsWith('/v1/') && asks);

describe('a key that is wrong', () => {
  it.each([
    ['malformed', '{"agent_id":', JSON_TYPE],
    ['no object', '[]', JSON_TYPE],
    ['misspelt', '{"spendLimit":5}', JSON_TYPE],
    ['over a MiB', JSON.stringify({ a: 'x'.repeat(1024 * 1024) }), JSON_TYPE],
    ['of another type', '<a/>', { 'content-type': 'text/xml' }],
    ['of no type there is', '{}', { 'content-type': 'no/such;;type' }],
  ])('is the first thing to be refused, also with a body that is %s', async (_, body, headers) => {
    for (const operation of secured().filter(({ method }) => method !== 'GET')) {
      const reply = await tenant.send(operation.method, pathOf(operation), body, {
        ...headers,
        authorization: 'Bearer x',
      });
      expect([operation.id, reply.status, reply.body['code']]).toEqual([operation.id, 401, 'unauthorized']);
    }
    const mcp = await tenant.send('POST', '/mcp', body, { ...headers, authorization: 'Bearer x' });
    expect(mcp).toMatchObject({ status: 401, body: { jsonrpc: '2.0', error: { data: { code: 'unauthorized' } } } });
  });

  it('is refused before a path with NUL, and before a name in the query that is not known', async () => {
    for (const operation of secured()) {
      for (const more of ['?zebra=1', '?x=%00']) {
        const { status } = await tenant.send(operation.method, pathOf(operation) + more, undefined, {
          authorization: 'Bearer x',
        });
        expect([operation.id, more, status]).toEqual([operation.id, more, 401]);
      }
    }
  });

  it('is refused without waiting for the body', async () => {
    const head = `POST /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\nContent-Length: 500000\r\n\r\n{`;
    expect((await exchange(head, true)).status).toBe(401);
  });
});

it('every refusal of a request with a live key has a code and the rate headers', async () => {
  const refusals: [number, string, string, unknown?, Record<string, string>?][] = [
    [400, 'POST', '/v1/sessions', '{'],
    [400, 'POST', '/v1/sessions', { agent_id: 5 }],
    [400, 'POST', '/v1/sessions', { agentId: 'a' }],
    [400, 'GET', '/v1/sessions?zebra=1'],
    [400, 'GET', '/v1/sessions?limit=x'],
    [400, 'GET', '/v1/sessions/a?b=%00'],
    [401, 'POST', '/v1/audit', { session_id: 'ses_none', action: 'a' }],
    [404, 'GET', '/v1/sessions/ses_none'],
    [404, 'GET', '/v1/nowhere'],
    [405, 'PUT', '/v1/sessions', {}],
    [413, 'POST', '/v1/sessions', { agent_id: 'x'.repeat(1024 * 1024) }],
    [413, 'POST', '/mcp', { a: 'x'.repeat(1024 * 1024) }],
  ];
  for (const [status, method, path, body, headers] of refusals) {
    const reply = await tenant.send<Json>(method, path, body, headers);
    const { code = (reply.body['error'] as { data?: Json }).data?.['code'] } = reply.body;
    const missing = RATE_HEADERS.filter((name) => !reply.headers.has(name));
    expect([path, reply.status, typeof code, missing]).toEqual([path, status, 'string', []]);
    if (status === 413) expect(code).toBe('too_large');
  }
  const stranger = await fetch(`${tenant.url}/v1/nowhere`, { headers: { authorization: 'Bearer x' } });
  expect([stranger.status, stranger.headers.has('ratelimit')]).toEqual([404, false]);
});

/** How zod speaks. */
const LIBRARY =
  /invalid (input|option|string|type|key|element)|received|too (small|big)|unrecognized|undefined|\bNaN\b|must be/i;
const WRONG = [null, true, 17.5, -1, '', 'x'.repeat(5000), [], [null], [[]], {}, { a: [1] }];

it('whatever is wrong with a member, the refusal names it in field, and speaks in our own words', async () => {
  const found: string[] = [];
  let refusals = 0;
  const { body: made } = await tenant.post<{ key: string }>('/v1/keys', { connector: { upstream: 'x' } });
  const connector = new Client(tenant.url, made.key);
  for (const operation of served.operations.filter(({ path, body }) => path.startsWith('/v1/') && body)) {
    const kinds = (operation.body?.['oneOf'] as Json[] | undefined) ?? [operation.body ?? {}];
    const names = new Set(kinds.flatMap((kind) => Object.keys((kind['properties'] ?? {}) as Json)));
    const bodies = [...names].flatMap((name) => WRONG.map((value) => ({ [name]: value })));
    for (const body of [{}, ...bodies]) {
      const asker = operation.tags.includes('connectors') ? connector : tenant;
      const { status, body: answer } = await asker.send(operation.method, pathOf(operation), body);
      if (status !== 400) continue;
      refusals++;
      const text = String(answer['error']);
      const field = answer['field'] === 'body' ? 'request body' : String(answer['field']);
      if (
        LIBRARY.test(text) ||
        typeof answer['code'] !== 'string' ||
        !/^[:]? /.test(text.slice(field.length)) ||
        !text.startsWith(field)
      )
        found.push(`${operation.id} ${JSON.stringify(body).slice(0, 60)}: ${JSON.stringify(answer)}`);
    }
  }
  expect(found).toEqual([]);
  expect(refusals).toBeGreaterThan(500);
}, 300_000);

it('so does every query, and every argument of an own tool', async () => {
  for (const { id, method, path, parameters } of secured()) {
    for (const { name } of parameters.filter((parameter) => parameter.in === 'query')) {
      const reply = await tenant.send(method, `${path.replaceAll(/\{\w+\}/g, '1')}?${name}=x&${name}=`);
      if (reply.status !== 400) continue;
      // Of two that are wrong, the first is named.
      expect([id, parameters.map((parameter) => parameter.name)]).toEqual([
        id,
        expect.arrayContaining([reply.body['field']]),
      ]);
      expect(String(reply.body['error'])).not.toMatch(LIBRARY);
    }
  }
  const { message } = await new BareMcp({ url: tenant.url, key: tenant.key ?? '' }).call('createSession', {
    agent_id: 1,
  });
  expect(message?.result).toMatchObject({ isError: true, structuredContent: { field: 'agent_id' } });
});

describe('OPTIONS without CORS', () => {
  it('says what a path takes', async () => {
    const paths = [...new Set(served.operations.map(({ path }) => path))];
    for (const path of paths) {
      const reply = await fetch(tenant.url + path.replaceAll(/\{\w+\}/g, '1'), { method: 'OPTIONS' });
      const known = served.operations.filter((operation) => operation.path === path).map(({ method }) => method);
      expect([path, reply.status, await reply.text()]).toEqual([path, 204, '']);
      expect(reply.headers.get('allow')?.split(', ')).toEqual(expect.arrayContaining([...known, 'OPTIONS']));
    }
  });

  it('of a path nobody serves is a 404 like any other', async () => {
    const reply = await fetch(`${tenant.url}/v1/nowhere`, { method: 'OPTIONS' });
    expect([reply.status, await reply.json()]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
  });
});

it.each([
  ['without a Host', 400, 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 'invalid'],
  [
    'that expects what nobody knows',
    417,
    'POST /v1/sessions HTTP/1.1\r\nHost: x\r\nExpect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}',
    'expectation_failed',
  ],
])('a request %s is refused with a %i in JSON', async (_, status, text, code) => {
  const { status: was, headers, body } = await exchange(text);
  expect([was, headers.get('content-type')]).toEqual([status, expect.stringContaining('application/json')]);
  expect(JSON.parse(body)).toMatchObject({
    error: expect.any(String),
    code,
    request_id: headers.get('x-request-id'),
  });
});

it('HTTP/1.0 needs no Host', async () => {
  expect((await exchange('GET /healthz HTTP/1.0\r\n\r\n')).status).toBe(200);
});

/** Sends a text as it is, and answers what comes back: all until the connection ends, or what is there first. */
function exchange(text: string, first = false): Promise<{ status: number; headers: Headers; body: string }> {
  const { hostname, port } = new URL(tenant.url);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setTimeout(5_000, () => socket.destroy(new Error('nothing came')));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      if (first) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = received.split('\r\n\r\n');
      const [line = '', ...lines] = head.split('\r\n');
      const headers = lines.map((one): [string, string] => [
        one.slice(0, one.indexOf(':')),
        one.slice(one.indexOf(':') + 1),
      ]);
      resolve({ status: Number(line.split(' ')[1]), headers: new Headers(headers), body });
    });
  });
}

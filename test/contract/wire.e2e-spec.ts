import { connect } from 'node:net';
import { type Client, startWorld, type World } from '@haldir/test-support';
import { ApiDocument, type Json, pathOf } from './api-document.js';
import { bodyProblems, ContractClient, headerProblems } from './contract-client.js';

const seed = ApiDocument.seed();
const MIB = 1024 * 1024;
const CANARY = 'canary-4f1c9e';

let world: World;
let tenant: Client;
let api: ContractClient;
beforeAll(async () => {
  world = await startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } });
  tenant = await world.newTenant();
  api = new ContractClient(tenant, seed);
});
afterAll(() => world.stop());

/** Every operation that takes a body, with a path to something that may not be there. */
const withBody = seed.operations
  .filter(({ body }) => body !== null)
  .map((operation): [string, string] => [
    operation.id,
    pathOf(operation, { session_id: 'ses_unknown', request_id: 'apr_unknown' }),
  ]);

/** Sends a body as it is, and answers what came back after making sure that it is a proper refusal. */
async function refused(id: string, path: string, body: string, headers: Record<string, string> = {}): Promise<Json> {
  const reply = await tenant.send<Json>('POST', path, body, headers);
  const operation = seed.operation(id);
  expect([...bodyProblems(seed, operation, reply), ...headerProblems({ ...operation, secured: false }, reply)]).toEqual(
    [],
  );
  expect(JSON.stringify(reply.body)).not.toContain(CANARY);
  return { status: reply.status, ...reply.body };
}

describe.each(withBody)('the body of %s', (id, path) => {
  it.each([
    ['cut off', `{"agent_id": "${CANARY}`],
    ['with a trailing comma', `{"agent_id": "${CANARY}",}`],
    ['that is no JSON', `agent_id=${CANARY}`],
    ['of two objects', '{}{}'],
    ['with NaN', '{"amount": NaN}'],
    ['that is a string', `"${CANARY}"`],
    ['that is a number', '17'],
    ['that is null', 'null'],
    ['that is true', 'true'],
    ['that is a list', `["${CANARY}"]`],
    ['nested 5,000 deep', `{"details":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['that is one open bracket after the other', '['.repeat(100_000)],
    ['with __proto__', `{"__proto__": {"agent_id": "${CANARY}"}}`],
  ])('%s is a 400', async (_, body) => {
    expect(await refused(id, path, body)).toMatchObject({ status: 400 });
  });

  it('over a MiB is a 413, whether it says so before or not', async () => {
    const body = JSON.stringify({ agent_id: CANARY + 'x'.repeat(MIB) });
    expect(await refused(id, path, body)).toMatchObject({ status: 413, code: 'too_large' });
    const streamed = await fetch(tenant.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/json' },
      body: new Blob([body]).stream(),
      duplex: 'half',
    });
    expect([streamed.status, await streamed.json()]).toEqual([
      413,
      expect.objectContaining({ error: expect.any(String) }),
    ]);
  });

  it('may name its charset, but has to be JSON', async () => {
    const form = await refused(id, path, `agent_id=${CANARY}`, { 'content-type': 'application/x-www-form-urlencoded' });
    expect([400, 415]).toContain(form['status']);
    const xml = await refused(id, path, `<a>${CANARY}</a>`, { 'content-type': 'text/xml' });
    expect([400, 415]).toContain(xml['status']);
    const utf8 = await tenant.send('POST', path, '{"x":', { 'content-type': 'application/json; charset=utf-8' });
    expect(utf8.status).toBe(400);
  });
});

describe('a value that nothing can store', () => {
  const session = { session_id: 'ses_unknown' };
  it.each<[string, string, Json, string]>([
    ['createSession', '/v1/sessions', { agent_id: 'a\0b' }, 'agent_id'],
    ['createSession', '/v1/sessions', { agent_id: 'a\ud800' }, 'agent_id'],
    ['createSession', '/v1/sessions', { agent_id: 'a', scopes: ['read', '\udc00x'] }, 'scopes'],
    ['createApiKey', '/v1/keys', { name: '\0' }, 'name'],
    ['storeSecret', '/v1/secrets', { name: 'n', value: `${CANARY}\0` }, 'value'],
    ['logAction', '/v1/audit', { ...session, action: 'a', details: { deep: [`${CANARY}\ud800`] } }, 'details'],
    ['requestApproval', '/v1/approvals/request', { ...session, reason: '\0' }, 'reason'],
    ['authorizePayment', '/v1/payments/authorize', { ...session, amount: 1, description: '\0' }, 'description'],
    [
      'proxyCall',
      '/v1/proxy/call',
      { ...session, tool: 'a.b', arguments: { x: { y: `\ud800${CANARY}` } } },
      'arguments',
    ],
    ['registerWebhook', '/v1/webhooks', { url: 'http://127.0.0.1/', name: '\0' }, 'name'],
  ])('makes %s a 400 that names the field', async (id, path, body, field) => {
    const reply = await refused(id, path, JSON.stringify(body));
    expect(reply).toMatchObject({ status: 400, error: expect.stringContaining(field) });
  });

  it.each(['1e400', '-1e400'])('like the number %s is a 400 that names the field', async (number) => {
    const payment = await refused(
      'authorizePayment',
      '/v1/payments/authorize',
      `{"session_id":"x","amount":${number}}`,
    );
    expect(payment).toMatchObject({ status: 400, error: expect.stringContaining('amount') });
  });

  it('is told from one that can be stored', async () => {
    const agent_id = 'ü 𝒶 👩‍👩‍👧 \u202e \ufeff "\\" <b>';
    expect((await api.call('createSession', { body: { agent_id } })).body).toMatchObject({ agent_id });
  });
});

describe('DELETE', () => {
  it.each([undefined, '', '{}'])('minds no body it does not need: %j', async (body) => {
    const path = `/v1/sessions/${await tenant.session()}`;
    const { status } = await tenant.send('DELETE', path, body, { 'content-type': 'application/json' });
    expect(status).toBe(200);
  });
});

describe('the two headers for a key', () => {
  it('are each enough, and have to agree when both are right', async () => {
    const other = (await api.call<{ key: string }>('createApiKey', { body: {} })).body.key;
    const key = tenant.key ?? '';
    const ask = async (headers: Record<string, string>): Promise<number> => {
      const reply = await fetch(`${tenant.url}/v1/secrets`, { headers });
      await reply.arrayBuffer();
      return reply.status;
    };
    expect(await ask({ authorization: `Bearer ${key}` })).toBe(200);
    expect(await ask({ authorization: `bearer ${key}` })).toBe(200);
    expect(await ask({ 'x-api-key': key })).toBe(200);
    expect(await ask({ authorization: `Bearer ${key}`, 'x-api-key': key })).toBe(200);
    expect(await ask({ authorization: `Bearer ${key}`, 'x-api-key': 'hld_nonsense' })).toBe(200);
    expect(await ask({ authorization: 'Bearer hld_nonsense', 'x-api-key': key })).toBe(200);
    expect(await ask({ authorization: `Bearer ${key}`, 'x-api-key': other })).toBe(401);
    expect(await ask({ authorization: `Basic ${key}` })).toBe(401);
    expect(await ask({ authorization: key })).toBe(401);
    expect(await ask({ authorization: '', 'x-api-key': '' })).toBe(401);
    expect(await ask({ authorization: `Bearer ${key}x` })).toBe(401);
    expect(await ask({ authorization: `Bearer ${key.slice(0, -1)}` })).toBe(401);
  });
});

describe('X-Request-ID', () => {
  it.each(['a', 'req-1.2:3_4', 'f47ac10b-58cc-4372-a567-0e02b2c3d479', 'x'.repeat(64)])(
    '%s is echoed',
    async (sent) => {
      for (const path of ['/v1/secrets', '/v1/secrets/missing', '/nowhere', '/healthz']) {
        const { headers } = await tenant.get(path, { 'x-request-id': sent });
        expect(headers.get('x-request-id')).toBe(sent);
      }
    },
  );

  it.each(['', 'a b', 'x'.repeat(65), '<script>', 'a"b', 'ü', 'a\tb', 'a;b=c'])('%j is replaced', async (sent) => {
    const { headers, body } = await tenant.get<{ request_id: string }>('/v1/secrets/missing', { 'x-request-id': sent });
    expect(headers.get('x-request-id')).not.toBe(sent);
    expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._:-]{1,64}$/);
    expect(body.request_id).toBe(headers.get('x-request-id'));
  });

  it('is a new one for each request otherwise', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => tenant.get('/healthz')));
    expect(new Set(replies.map(({ headers }) => headers.get('x-request-id'))).size).toBe(20);
  });
});

describe('a path or method nobody serves', () => {
  it.each(['/nowhere', '/v1/nowhere', '/v2', '/v1/sessions/a/b/c', '/v1/keys/a/b', '/__proto__', '/constructor'])(
    'GET %s is a 404 in JSON',
    async (path) => {
      const { status, body, headers } = await tenant.get(path);
      expect([status, headers.get('content-type')]).toEqual([404, expect.stringContaining('application/json')]);
      expect(body).toMatchObject({
        error: expect.any(String),
        code: 'not_found',
        request_id: headers.get('x-request-id'),
      });
    },
  );

  const paths = [...new Set(seed.operations.map(({ path }) => path))];
  it.each(paths)('PUT and PATCH %s is a 405 in JSON that names what it takes', async (path) => {
    const known = seed.operations.filter((operation) => operation.path === path).map(({ method }) => method);
    for (const method of ['PUT', 'PATCH']) {
      const { status, body, headers } = await tenant.send(method, path.replace(/\{\w+\}/g, 'x'), '{}');
      expect([method, status, headers.get('content-type')]).toEqual([
        method,
        405,
        expect.stringContaining('application/json'),
      ]);
      expect(body).toMatchObject({
        error: expect.any(String),
        code: 'method_not_allowed',
        request_id: headers.get('x-request-id'),
      });
      expect(headers.get('allow')?.split(', ')).toEqual(expect.arrayContaining(known));
    }
  });

  it('is not refused for want of a key, nor does a key open it', async () => {
    const reply = await fetch(`${tenant.url}/v1/nowhere`);
    expect([reply.status, await reply.json()]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
  });

  it('HEAD answers like GET without a body', async () => {
    const reply = await fetch(`${tenant.url}/healthz`, { method: 'HEAD' });
    expect([reply.status, await reply.text()]).toEqual([200, '']);
  });

  it.each([
    ['no HTTP at all', 400, 'GARBAGE\r\n\r\n'],
    ['a method nobody knows', 400, 'GARBAGE / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an address of 100 kB', 431, `GET /${CANARY}${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['an address of 4 MB', 431, `GET /${CANARY}${'x'.repeat(4_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['a header without a name', 400, `GET /healthz HTTP/1.1\r\nHost: x\r\n: ${CANARY}\r\n\r\n`],
    ['no percent-encoding', 400, `GET /v1/sessions/%zz${CANARY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
  ])('%s is refused with a %i like any other refusal', async (_, status, text) => {
    const [head = '', body = ''] = (await exchange(text)).split('\r\n\r\n');
    const headers = new Headers(
      head
        .split('\r\n')
        .slice(1)
        .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    );
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const reply = { status, headers, body: JSON.parse(body) as Json };
    expect(reply.body).toEqual({
      error: expect.any(String),
      code: expect.stringMatching(/^[a-z_]+$/),
      request_id: headers.get('x-request-id'),
      ...(text.includes('%zz') ? { field: 'path' } : {}),
    });
    expect(headerProblems({ ...seed.operation('healthCheck'), secured: false }, reply)).toEqual([]);
    expect(body).not.toContain(CANARY);
    expect((await tenant.get('/healthz')).status).toBe(200);
  });
});

/** Sends a text as it is, and answers all that comes back until the connection ends; a reset is a failure. */
async function exchange(text: string): Promise<string> {
  const { hostname, port } = new URL(tenant.url);
  return new Promise<string>((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setTimeout(10_000, () => socket.destroy(new Error('nothing came')));
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}

describe('a browser', () => {
  it.each(seed.operations.map(({ id, method, path }): [string, string, string] => [id, method, path]))(
    'may call %s from any origin',
    async (_, method, template) => {
      const path = template.replace(/\{\w+\}/g, 'x');
      const preflight = await fetch(tenant.url + path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://app.example',
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type,x-api-key,x-session-id,idempotency-key',
        },
      });
      expect([200, 204]).toContain(preflight.status);
      expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
      expect(preflight.headers.get('access-control-allow-methods')).toContain(method);
      const allowed = preflight.headers.get('access-control-allow-headers')?.toLowerCase().split(/, */);
      for (const name of ['authorization', 'content-type', 'x-api-key', 'x-session-id', 'idempotency-key']) {
        expect(allowed).toContain(name);
      }
    },
  );

  it('can read what every answer carries, refusals included', async () => {
    for (const path of ['/v1/secrets', '/v1/secrets/missing', '/v1/nowhere']) {
      const { headers } = await tenant.get(path, { origin: 'https://app.example' });
      expect(headers.get('access-control-allow-origin')).toBe('*');
    }
    const { headers } = await tenant.get('/v1/secrets', { origin: 'https://app.example' });
    const exposed = headers.get('access-control-expose-headers')?.toLowerCase().split(/, */);
    for (const name of [
      ...['x-request-id', 'retry-after', 'idempotent-replayed', 'ratelimit', 'ratelimit-policy'],
      ...['limit', 'remaining', 'used', 'reset', 'reset-after', 'resource'].map((part) => `x-ratelimit-${part}`),
    ]) {
      expect(exposed).toContain(name);
    }
  });
});

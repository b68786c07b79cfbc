import { gzipSync } from 'node:zlib';
import { BareMcp, type Client, startWorld, type World } from '@haldir/test-support';

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

const LATIN1 = Buffer.from('caf\u00e9', 'latin1');
/** Bytes that are no UTF-8: Latin-1, a cut character, an overlong one, a surrogate, one beyond Unicode. */
const NO_UTF8: [what: string, bytes: Buffer][] = [
  ['Latin-1', LATIN1],
  ['a cut character', Buffer.from([0x61, 0xe2, 0x82])],
  ['an overlong character', Buffer.from([0xc0, 0xaf])],
  ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
  ['a character beyond Unicode', Buffer.from([0xf5, 0x80, 0x80, 0x80])],
];

let world: World;
let tenant: Client;
let session: string;
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.newTenant();
  session = await tenant.session();
});
afterAll(() => world.stop());

async function send(
  method: string,
  path: string,
  body?: Buffer | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const reply = await fetch(tenant.url + path, {
    method,
    headers: { authorization: `Bearer ${tenant.key ?? ''}`, ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
  });
  return { status: reply.status, body: (await reply.json().catch(() => ({}))) as Answer['body'] };
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** What was stored since, wherever that may be. */
async function stored(): Promise<unknown[]> {
  const { body: secrets } = await tenant.get('/v1/secrets');
  const { body: log } = await tenant.get('/v1/audit?limit=1000');
  const { body: approvals } = await tenant.get('/v1/approvals');
  return [secrets['secrets'], log['count'], approvals['count']];
}

const secretOf = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from('{"name":"odd","value":"'), bytes, Buffer.from('"}')]);
const entryOf = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`{"session_id":"${session}","tool":"t","action":"`), bytes, Buffer.from('"}')]);

describe('over REST', () => {
  it.each(NO_UTF8)('a body with %s is a 400, and nothing is stored', async (_, bytes) => {
    const before = await stored();
    for (const [path, body] of [
      ['/v1/secrets', secretOf(bytes)],
      ['/v1/audit', entryOf(bytes)],
      ['/v1/approvals/request', entryOf(bytes)],
    ] as const) {
      const reply = await send('POST', path, body, JSON_TYPE);
      expect([path, reply.status, reply.body['field']]).toEqual([path, 400, 'body']);
    }
    expect(await stored()).toEqual(before);
  });

  it.each([
    ['of ISO-8859-1', secretOf(LATIN1), { 'content-type': 'application/json; charset=iso-8859-1' }],
    [
      'of UTF-16',
      Buffer.from('{"name":"odd","value":"v"}', 'utf16le'),
      { 'content-type': 'application/json; charset=utf-16le' },
    ],
    [
      'that says it is ISO-8859-1',
      '{"name":"odd","value":"v"}',
      { 'content-type': 'application/json; charset="ISO-8859-1"' },
    ],
    ['in gzip', gzipSync('{"name":"odd","value":"v"}'), { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    ['that says it is in gzip', '{"name":"odd","value":"v"}', { ...JSON_TYPE, 'content-encoding': 'gzip' }],
  ] as const)('a body %s is a 415, and nothing is stored', async (_, body, headers) => {
    const before = await stored();
    const reply = await send('POST', '/v1/secrets', body, headers);
    expect([reply.status, reply.body['code']]).toEqual([415, 'unsupported_media']);
    expect(await stored()).toEqual(before);
  });

  it('a body of UTF-8 is taken, whatever it says of that', async () => {
    for (const type of ['application/json', 'application/json; charset=UTF-8', 'application/json;charset="utf8"']) {
      const reply = await send('POST', '/v1/secrets', '{"name":"plain","value":"caf\u00e9 \u{1f40e}"}', {
        'content-type': type,
      });
      expect([type, reply.status]).toEqual([type, 201]);
      const read = await tenant.get('/v1/secrets/plain', { 'x-session-id': session });
      expect(read.body['value']).toBe('caf\u00e9 \u{1f40e}');
    }
  });
});

describe('over /mcp', () => {
  const call = (name: string, bytes: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":`),
      bytes,
      Buffer.from(`}}`),
    ]);
  const MCP = { ...JSON_TYPE, accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' };

  it.each(NO_UTF8)('a message with %s is a 400, and nothing is stored', async (_, bytes) => {
    const before = await stored();
    for (const message of [call('storeSecret', secretOf(bytes)), call('logAction', entryOf(bytes))]) {
      const reply = await send('POST', '/mcp', message, MCP);
      expect([reply.status, typeof reply.body['error']]).toEqual([400, 'object']);
    }
    expect(await stored()).toEqual(before);
  });

  it.each([
    ['of ISO-8859-1', { 'content-type': 'application/json; charset=iso-8859-1' }, (bytes: Buffer) => bytes],
    ['in gzip', { 'content-encoding': 'gzip' }, gzipSync],
  ] as const)('a message %s is a 415, and nothing is stored', async (_, headers, written) => {
    const before = await stored();
    const message = call('logAction', entryOf(Buffer.from('act')));
    const reply = await send('POST', '/mcp', written(message), { ...MCP, ...headers });
    expect([reply.status, typeof reply.body['error']]).toEqual([415, 'object']);
    expect(await stored()).toEqual(before);
  });

  it('such a message is done where it is plain UTF-8', async () => {
    const before = await stored();
    const { message } = await new BareMcp({ url: tenant.url, key: tenant.key ?? '' }).call('logAction', {
      ...{ session_id: session, tool: 't', action: 'act' },
    });
    expect(message?.result).not.toMatchObject({ isError: true });
    expect(await stored()).not.toEqual(before);
  });
});

describe('an address', () => {
  it.each(['%ff', 'a%ffb', '%c3', '%e2%82', '%ed%a0%80', '%zz', '%', '%u00e9', '100%'])(
    'with %j in the query is a 400 that names the parameter',
    async (value) => {
      for (const [path, name] of [
        ['/v1/audit', 'tool'],
        ['/v1/audit', 'action'],
        ['/v1/sessions', 'agent_id'],
        ['/v1/payments', 'session_id'],
        ['/v1/secrets/plain', 'session_id'],
      ] as const) {
        const reply = await send('GET', `${path}?${name}=${value}`);
        expect([path, name, reply.status, reply.body['field']]).toEqual([path, name, 400, name]);
      }
    },
  );

  it('with such a name of a parameter is a 400', async () => {
    for (const query of ['%ff=1', 'to%ffol=x', '%zz=%zz', 'tool=a&%c3=b']) {
      const reply = await send('GET', `/v1/audit?${query}`);
      expect([query, reply.status, reply.body['field']]).toEqual([query, 400, 'query']);
      expect(JSON.stringify(reply.body)).not.toContain('\ufffd');
    }
  });

  it.each(['%ff', 'a%ffb', '%c3', '%e2%82', '%ed%a0%80', '%zz', '%', '100%'])(
    'with %j in the path is a 400 that names the path',
    async (value) => {
      const paths: [string, string][] = [
        ['GET', `/v1/sessions/${value}`],
        ['GET', `/v1/secrets/${value}`],
        ['DELETE', `/v1/secrets/${value}`],
        ['GET', `/v1/approvals/${value}`],
        ['POST', `/v1/agents/${value}/freeze`],
        ['DELETE', `/v1/proxy/upstreams/${value}`],
      ];
      for (const [method, path] of paths) {
        const reply = await send(method, path);
        expect([method, path, reply.status, reply.body['field']]).toEqual([method, path, 400, 'path']);
      }
      const { body } = await tenant.get<{ entries: unknown }>('/v1/audit?limit=1000');
      expect(JSON.stringify(body.entries)).not.toContain('\ufffd');
    },
  );

  it('in UTF-8 is taken as it is meant', async () => {
    const made = await tenant.post('/v1/audit', { session_id: session, tool: 'caf\u00e9 & co', action: 'look' });
    for (const query of ['tool=caf%C3%A9%20%26%20co', 'tool=caf%c3%a9+%26+co']) {
      const { body } = await tenant.get<{ entries: { entry_id: string }[] }>(`/v1/audit?${query}`);
      expect([query, body.entries.map(({ entry_id: id }) => id)]).toEqual([query, [made.body['entry_id']]]);
    }
  });
});

it('the document says that a body may be refused with 415, wherever there is one', async () => {
  const { body } = await tenant.get<{
    paths: Record<string, Record<string, { requestBody?: unknown; responses: object }>>;
  }>('/openapi.json');
  const missing = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { requestBody, responses }]) => requestBody !== undefined && !('415' in responses))
      .map(([method]) => `${method} ${path}`),
  );
  expect(missing).toEqual([]);
});

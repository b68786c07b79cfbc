import {
  BareMcp,
  type Client,
  connectMcp,
  type McpRevision,
  type McpParty,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let tenant: Client;
let session: string;

beforeAll(async () => {
  world = await startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=5,pro=0,enterprise=0' } });
  tenant = await world.newTenant();
  session = await tenant.session({ scopes: ['execute'] });
});
afterAll(() => world.stop());

const party = (over: Partial<McpParty> = {}): McpParty => ({
  url: tenant.url,
  key: tenant.key ?? '',
  session,
  ...over,
});
const REVISIONS: McpRevision[] = ['stateless', 'handshake'];
const FIRST: Record<McpRevision, string> = { stateless: 'server/discover', handshake: 'initialize' };

describe.each(REVISIONS)('the first request of a client of the %s revisions', (revision) => {
  const first = (over: Partial<McpParty>) => new BareMcp(party(over), revision).ask(FIRST[revision]);

  it('is refused with a dead key, which is told what to send', async () => {
    const { body } = await tenant.post<{ key: string; prefix: string }>('/v1/keys', {});
    await tenant.delete(`/v1/keys/${body.prefix}`);
    for (const key of [body.key, 'hld_nonsense', 'nonsense']) {
      const { status, headers, message } = await first({ key });
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toBe('Bearer realm="haldir"');
      // The key is looked at before the body, where the id is.
      expect(message).toMatchObject({
        id: null,
        error: { message: expect.stringContaining('Authorization: Bearer hld_') },
      });
      expect(message?.error?.message).not.toContain(key.slice(0, 20));
    }
  });

  it('is refused with a dead session, which is told how to get another', async () => {
    const revoked = await tenant.session();
    await tenant.delete(`/v1/sessions/${revoked}`);
    const strangers = await (await world.newTenant()).session();
    for (const dead of [revoked, strangers, 'ses_unknown', 'with space', 'x'.repeat(300)]) {
      const { status, headers, message } = await first({ session: dead });
      expect([status, message?.error?.data?.['code']]).toEqual([403, 'invalid_session']);
      expect(headers.get('www-authenticate')).toBeNull();
      expect(message?.error?.message).toContain('POST /v1/sessions');
      expect(JSON.stringify(message)).not.toContain(dead);
      await expect(connectMcp(party({ session: dead }), revision)).rejects.toThrow();
    }
  });

  it('does not make an operator of an agent whose session was left out of its settings', async () => {
    const response = await fetch(`${tenant.url}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${tenant.key}`,
        'x-session-id': '',
        ...new BareMcp(party(), revision).headersFor('tools/list'),
      },
      body: JSON.stringify({
        ...{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: new BareMcp(party(), revision).paramsOf({}) },
      }),
    });
    expect(response.status).toBe(403);
  });

  it('may bring its key as X-API-Key', async () => {
    const { status } = await new BareMcp(party(), revision).ask(
      FIRST[revision],
      {},
      { authorization: '', 'x-api-key': tenant.key ?? '' },
    );
    expect(status).toBe(200);
  });
});

it('refuses a session that ended between two requests, whatever is asked next', async () => {
  const short = await tenant.session({ scopes: ['execute'] });
  const agent = new BareMcp(party({ session: short }));
  expect((await agent.ask('tools/list')).status).toBe(200);
  await tenant.delete(`/v1/sessions/${short}`);
  for (const reply of [
    await agent.ask('tools/list'),
    await agent.call('checkPermission', { scope: 'read' }),
    await agent.call('up.any'),
  ])
    expect([reply.status, reply.message?.error?.data?.['code']]).toEqual([403, 'invalid_session']);
});

it('counts each request of a batch against the quota of its key, and says when there is room again', async () => {
  const { body } = await tenant.post<{ key: string }>('/v1/keys', { tier: 'free' });
  const client = new BareMcp(party({ key: body.key, session: undefined }), 'handshake', '2025-03-26');
  const ping = (id: number): object => ({ jsonrpc: '2.0', id, method: 'ping' });
  expect((await client.send([ping(1), ping(2), ping(3), ping(4)])).status).toBe(200);
  expect((await client.ask('ping')).status).toBe(200);
  const { status, headers, message } = await client.ask('ping');
  expect(status).toBe(429);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(message).toMatchObject({ id: null, error: { data: { code: 'rate_limited', tier: 'free' } } });
});

it('counts each cancellation and answer of a batch that is acted on, too', async () => {
  const { body } = await tenant.post<{ key: string }>('/v1/keys', { tier: 'free' });
  const client = new BareMcp(party({ key: body.key, session: undefined }), 'handshake', '2025-03-26');
  await client.shakeHands({});
  const batch = [
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } },
    { jsonrpc: '2.0', id: 'a', result: {} },
    { jsonrpc: '2.0', id: 1, method: 'ping' },
  ];
  expect((await client.send(batch, client.headersFor(''))).status).toBe(200);
  expect((await client.ask('ping')).status).toBe(429);
});

describe('hostile input', () => {
  const METHODS = [
    'initialize',
    'ping',
    'tools/list',
    'tools/call',
    'server/discover',
    'resources/read',
    '__proto__',
    '',
  ];
  const PARAMS: unknown[] = [
    ...[undefined, null, 1, 'x', [], {}, { name: null }, { name: 7, arguments: 7 }, { name: 'x', arguments: [] }],
    ...[{ name: '' }, { name: 'x'.repeat(400) }, { name: 'constructor', arguments: {} }, { name: 'getSecret' }],
    ...[{ name: 'up.\ud800' }, { name: 'up.x\u0000' }, { name: 'logAction', arguments: { action: '\u0000' } }],
    ...[{ cursor: 5 }, { cursor: 'AAAA' }, { cursor: '' }, { cursor: 'x'.repeat(5_000) }],
    ...[{ _meta: 5 }, { _meta: null }, { _meta: { progressToken: {} } }, { protocolVersion: {}, capabilities: 3 }],
    { name: 'up.x', arguments: { big: 1e308, neg: -0, nested: { a: [[[[]]]] } } },
  ];

  it.each(REVISIONS)('of %s revisions is never an error of ours', async (revision) => {
    for (const member of [session, undefined]) {
      const client = new BareMcp(party({ session: member }), revision);
      for (const method of METHODS) {
        const replies = await Promise.all(
          PARAMS.map((params) => {
            const object = typeof params === 'object' && params !== null && !Array.isArray(params) ? params : null;
            const sent = object && !('_meta' in object) ? client.paramsOf(object as Record<string, unknown>) : params;
            return client.send(
              { jsonrpc: '2.0', id: 1, method, params: sent },
              client.headersFor(method, (object ?? {}) as Record<string, unknown>),
            );
          }),
        );
        for (const [i, { status, message }] of replies.entries()) {
          expect(status, `${method} ${JSON.stringify(PARAMS[i])}`).toBeLessThan(500);
          expect(message, `${method} ${JSON.stringify(PARAMS[i])}`).toMatchObject({ jsonrpc: '2.0' });
          expect(message?.error?.code).not.toBe(-32603);
        }
      }
    }
  });

  it('that is no message is refused as such', async () => {
    const client = new BareMcp(party());
    const deep = '['.repeat(200) + ']'.repeat(200);
    const bodies = [
      ...['{', 'null', '1', '"x"', '[]', '[1]', '[[]]', '{}', '{"jsonrpc":"1.0","id":1,"method":"ping"}', deep],
      ...['{"jsonrpc":"2.0","id":{},"method":"ping"}', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
      ...[
        '{"jsonrpc":"2.0","id":1,"method":7}',
        '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
        '\u0000',
        '{"__proto__":1}',
      ],
    ];
    for (const body of bodies) {
      const { status, message } = await client.send(body);
      expect([body, status, message?.error?.code]).toEqual([body, 400, expect.toBeOneOf([-32700, -32600])]);
    }
    expect(
      (await client.send('{"jsonrpc":"2.0","id":1,"method":"ping"}', { 'content-type': 'text/plain' })).status,
    ).toBe(415);
    expect((await client.send('')).status).toBe(400);
    expect(
      (await client.send({ jsonrpc: '2.0', id: 1, method: 'ping', params: { x: 'y'.repeat(1_100_000) } })).status,
    ).toBe(413);
    const batch = Array.from({ length: 51 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' }));
    expect((await client.send(batch, { 'mcp-protocol-version': '2025-03-26' })).status).toBe(400);
    expect((await client.send({ jsonrpc: '2.0', id: 1, result: {} })).status).toBe(202);
  });

  it('leaves nothing secret in the log', () => {
    const output = world.apis.map((api) => api.output()).join('');
    expect(output).not.toContain(session);
    expect(output).not.toContain(tenant.key);
    expect(output).not.toMatch(/"level":"?(error|50)/);
  });
});

import { type McpClient } from './mcp-client.js';
import { UpstreamRpcError } from './mcp-client.errors.js';
import { KeptSessions } from './session-places.for-spec.js';
import {
  cleanUp,
  client,
  fail,
  type Handler,
  json,
  ok,
  plain,
  text,
  upstream,
  type Upstream,
} from './upstream-fixture.for-spec.js';

afterEach(cleanUp);

/** The first handler that says something answers; `PASS` is for the next. */
const PASS = Symbol('pass');

interface Stage {
  server: Upstream;
  sessions: Set<string>;
  ended: string[];
  /** The session that each `tools/call` ran in. */
  ran: string[];
  /** Comes before everything else. */
  front: Handler;
  /** Comes once the session was found to be there. */
  within: Handler;
  kept: KeptSessions;
  /** One process, and another. */
  a: McpClient;
  b: McpClient;
}

/** @param single of one transport: it begins one session, and no second while that lives */
async function stage({ single = false, deadlineMs = 3_000 } = {}): Promise<Stage> {
  let begun = 0;
  const self: Omit<Stage, 'server' | 'a' | 'b'> = {
    ...{ sessions: new Set<string>(), ended: [], ran: [], kept: new KeptSessions() },
    ...{ front: () => PASS, within: () => PASS },
  };
  const base: Handler = (message, req, res) => {
    if (message.method === 'server/discover') return fail(message.id, -32_601, 'Method not found');
    if (message.method === 'initialize') {
      if (single && self.sessions.size > 0)
        return void json(res, 400, fail(message.id, -32_600, 'Invalid Request: Server already initialized'));
      const id = `s${++begun}`;
      self.sessions.add(id);
      res.setHeader('mcp-session-id', id);
      return ok(message, { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } });
    }
    const id = String(req.headers['mcp-session-id']);
    if (req.method === 'DELETE') {
      self.ended.push(id);
      self.sessions.delete(id);
      return void res.writeHead(200).end();
    }
    if (!self.sessions.has(id)) return void json(res, 404, fail(null, -32_001, 'Session not found'));
    if (message.id === undefined) return void res.writeHead(202).end();
    if (message.method === 'tools/call') self.ran.push(id);
    const said = self.within(message, req, res);
    if (said !== PASS) return said;
    return message.method === 'ping' ? ok(message, {}) : plain(message, req, res);
  };
  const server = await upstream((message, req, res) => {
    const said = self.front(message, req, res);
    return said === PASS ? base(message, req, res) : said;
  });
  const process = (): McpClient =>
    client(server.url, { sessions: self.kept, deadlineMs, key: `test ${Math.random()}` });
  return Object.assign(self, { server, a: process(), b: process() });
}

const call = (mcp: McpClient, session = 'S', more = {}): Promise<unknown> =>
  mcp.callTool('add', {}, { session, deadlineMs: 8_000, ...more });
const status =
  (code: number): Handler =>
  (_m, _q, res) =>
    void res.writeHead(code).end();
const only =
  (method: string, handler: Handler): Handler =>
  (message, req, res) =>
    message.method === method ? handler(message, req, res) : PASS;

const OUTAGES: [string, Handler][] = [
  ['answers 503', status(503)],
  ['answers 502', status(502)],
  ['answers 500', status(500)],
  ['answers 429', status(429)],
  ['breaks the connection', (_m, _q, res) => void res.socket?.destroy()],
  ['lets nobody in', status(401)],
  ['shows a page', (_m, _q, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
];

describe('a session that is kept for all processes', () => {
  it.each(OUTAGES)('is gone on with by all, unsaid, after a time in which the upstream %s', async (_, outage) => {
    const on = await stage();
    await call(on.a);
    on.front = outage;
    for (let i = 0; i < 2; i++) await expect(call(on.a)).rejects.toThrow();
    await expect(call(on.b)).rejects.toThrow();
    expect(on.kept.idAt('S')).toBe('s3');
    on.front = () => PASS;
    const told = vi.fn();
    for (const process of [on.b, on.a, on.b])
      expect(await call(process, 'S', { onSessionReplaced: told })).toEqual(text('called add'));
    expect(new Set(on.ran)).toEqual(new Set(['s3']));
    expect([told.mock.calls, on.ended]).toEqual([[], ['s2']]);
  });

  it.each(OUTAGES)('is so of a server that has a single one, after a time in which it %s', async (_, outage) => {
    const on = await stage({ single: true });
    await call(on.a);
    expect(on.kept.whoseFound).toBe('shared');
    on.front = outage;
    await expect(call(on.a)).rejects.toThrow();
    for (let i = 0; i < 2; i++) await expect(on.a.listTools()).rejects.toThrow();
    expect(on.kept.idAt('shared')).toBe('s1');
    on.front = () => PASS;
    for (const process of [on.a, on.b, on.a]) expect(await call(process)).toEqual(text('called add'));
    expect(new Set(on.ran)).toEqual(new Set(['s1']));
  });

  it('that another process has replaced is found, and no third one begun', async () => {
    const on = await stage();
    await call(on.a);
    await call(on.b);
    on.sessions.delete('s3');
    await call(on.a);
    await call(on.b);
    expect(on.ran).toEqual(['s3', 's3', 's4', 's4']);
    expect(on.kept.idAt('S')).toBe('s4');
  });

  it('is ended when it is replaced, where the upstream never said that it is over', async () => {
    const on = await stage();
    await call(on.a);
    on.within = (message, req, res) =>
      req.headers['mcp-session-id'] === 's3' ? void json(res, 422, fail(null, -32_000, 'Unprocessable')) : PASS;
    const told = vi.fn();
    expect(await call(on.a, 'S', { onSessionReplaced: told })).toEqual(text('called add'));
    expect(told).toHaveBeenCalledOnce();
    await expect.poll(() => on.ended).toEqual(['s2', 's3']);
    expect(on.kept.idAt('S')).toBe('s4');
  });
});

describe('a tool whose own error comes by a status', () => {
  it.each([
    [400, -32_603, 'Checkout session could not be confirmed'],
    [404, -32_000, 'Session of the checkout not found'],
    [409, -32_000, 'The session is busy'],
    [422, -32_000, 'variable x is uninitialized'],
    [422, -32_000, 'unprocessable'],
  ])('of %i, with code %i and "%s", runs once, and its session goes on', async (code, rpcCode, words) => {
    const on = await stage();
    await call(on.a);
    on.within = only('tools/call', (message, _q, res) => void json(res, code, fail(message.id, rpcCode, words)));
    const told = vi.fn();
    const refused = call(on.a, 'S', { onSessionReplaced: told });
    await expect(refused).rejects.toBeInstanceOf(UpstreamRpcError);
    await expect(refused).rejects.toMatchObject({ rpcMessage: words });
    on.within = () => PASS;
    await call(on.a);
    await call(on.b);
    expect(on.ran).toEqual(['s3', 's3', 's3', 's3']);
    expect(told).not.toHaveBeenCalled();
  });

  it.each([402, 424, 499])('of %i, without more, may have run, and is not called again', async (code) => {
    const on = await stage();
    await call(on.a);
    on.within = only('tools/call', status(code));
    await expect(call(on.a)).rejects.toMatchObject({ status: code, sent: true });
    // Its session seems to hang; another can be had, which says nothing of the call.
    on.within = (message, req, res) =>
      req.headers['mcp-session-id'] !== 's3'
        ? PASS
        : message.method === 'tools/call'
          ? status(code)(message, req, res)
          : status(500)(message, req, res);
    await expect(call(on.a)).rejects.toMatchObject({ status: code, sent: true });
    expect(on.ran).toEqual(['s3', 's3', 's3']);
  });

  it.each([400, 404, 422])('whose refusal (%i) broke off may have run, and is not called again', async (code) => {
    const on = await stage();
    await call(on.a);
    on.within = only('tools/call', (_m, _q, res) => {
      res.writeHead(code, { 'content-type': 'application/json', 'content-length': '1000' });
      res.write('{"jsonrpc":"2.0",');
      setImmediate(() => res.socket?.destroy());
    });
    await expect(call(on.a)).rejects.toMatchObject({ sent: true });
    on.within = () => PASS;
    await call(on.a);
    expect(on.ran).toEqual(['s3', 's3', 's3']);
  });
});

describe('whose sessions an upstream begins', () => {
  it.each([
    ['does not know ping, and says so by -32600', (message) => fail(message.id, -32_600, 'Unsupported method')],
    ['does not know ping, and says so by 400', (_m, _q, res) => void res.writeHead(400).end('unknown method')],
  ] as [string, Handler][])('is one for each of a server that %s', async (_, ping) => {
    const on = await stage();
    on.within = only('ping', ping);
    await call(on.a, 'one');
    await call(on.b, 'two');
    expect(on.kept.whoseFound).toBe('own');
    expect(on.ran).toEqual(['s3', 's4']);
  });

  it.each([
    ['ping is refused by 429', 'ping', status(429)],
    ['ping is refused by 401', 'ping', status(401)],
    ['ping breaks the connection', 'ping', (_m, _q, res) => void res.socket?.destroy()],
    ['ping and all else ends in an error of the server', '', (message) => fail(message.id, -32_603, 'no database')],
    [
      'a page comes for a session',
      'initialize',
      (_m, _q, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    ['one request for a session ends in a 500', 'initialize', status(500)],
  ] as [string, string, Handler][])(
    'is not taken for a single one because %s at that moment',
    async (_, method, trouble) => {
      const on = await stage();
      await on.a.listTools();
      let isUp = true;
      on.within = (message, req, res) =>
        isUp || !['ping', 'tools/list'].includes(message.method) ? PASS : trouble(message, req, res);
      on.front = (message, req, res) => {
        if (message.method !== 'initialize') return PASS;
        if (method !== 'initialize') isUp = false;
        else if (isUp) {
          isUp = false;
          on.within = () => PASS;
          return trouble(message, req, res);
        }
        return PASS;
      };
      const first = await call(on.a, 'one').catch((error: unknown) => error);
      if (first instanceof Error) expect(first).toMatchObject({ sent: false });
      expect(on.kept.whoseFound).not.toBe('shared');
      [on.front, on.within] = [() => PASS, () => PASS];
      on.ran.length = 0;
      await call(on.a, 'one');
      await call(on.b, 'two');
      expect(on.kept.whoseFound).toBe('own');
      expect(new Set(on.ran).size).toBe(2);
    },
  );
});

describe('a call that comes to nothing because no session was to be had', () => {
  it.each([
    ['answers 503', status(503), { reason: 'http_status', status: 503 }],
    ['answers 401', status(401), { reason: 'unauthorized', status: 401 }],
    ['says nothing', () => undefined, { reason: 'timeout' }],
    ['breaks the connection', (_m, _q, res) => void res.socket?.destroy(), { reason: 'reset' }],
    [
      'redirects',
      (_m, _q, res) => void res.writeHead(307, { location: '/mcp/' }).end(),
      { betterUrl: expect.stringMatching(/\/mcp\/$/) as string },
    ],
  ] as [string, Handler, object][])('was not sent: initialize %s', async (_, trouble, failure) => {
    const on = await stage({ deadlineMs: 1_000 });
    await call(on.a, 'one');
    on.front = only('initialize', trouble);
    await expect(call(on.a, 'two')).rejects.toMatchObject({ sent: false, ...failure });
    expect(on.ran).toEqual(['s3']);
  });
});

import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';
import {
  cleanUp,
  client,
  fail,
  type Handler,
  json,
  type Message,
  ok,
  plain,
  text,
  upstream,
  type Upstream,
} from './upstream-fixture.for-spec.js';

afterEach(cleanUp);

type Refuse = (message: Message, res: ServerResponse) => unknown;

interface StatefulServer {
  server: Upstream;
  sessions: Set<string>;
  /** The session that each `tools/call` ran in. */
  ran: string[];
  /** How requests without a live session are refused; also those that begin none. */
  refuse: Refuse;
}

/** A server that knows nobody without a live session, but for `initialize`. */
async function stateful(refuse: Refuse, within: Handler = plain): Promise<StatefulServer> {
  const stage = { sessions: new Set<string>(), ran: [] as string[], refuse };
  const server = await upstream((message, req, res) => {
    if (message.method === 'initialize') {
      const id = `s${stage.sessions.size + stage.ran.length + 1}-${Math.random()}`;
      stage.sessions.add(id);
      res.setHeader('mcp-session-id', id);
      return ok(message, { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } });
    }
    if (message.method === 'server/discover') return fail(message.id, -32_601, 'Method not found');
    const id = String(req.headers['mcp-session-id']);
    if (!stage.sessions.has(id)) return stage.refuse(message, res);
    if (message.id === undefined) return void res.writeHead(202).end();
    if (message.method === 'ping') return ok(message, {});
    if (message.method === 'tools/call') stage.ran.push(id);
    return within(message, req, res);
  });
  return Object.assign(stage, { server });
}

const plainText =
  (status: number, body: string): Refuse =>
  (_, res) =>
    void res.writeHead(status, { 'content-type': 'text/plain' }).end(body);
const ours =
  (status: number, code: number, words: string): Refuse =>
  (message, res) =>
    void json(res, status, fail(message.id ?? null, code, words));

const COUNT = (server: Upstream, method: string): number => server.methods().filter((each) => each === method).length;

describe('a session that was lost', () => {
  it.each([
    ['401 "Session not found"', plainText(401, 'Session not found')],
    ['401 as a JSON-RPC error', ours(401, -32_001, 'Session not found')],
    ['403', plainText(403, 'forbidden')],
    ['404', plainText(404, 'not found')],
    ['410', plainText(410, 'gone')],
    ['422', plainText(422, 'unprocessable')],
    ['400 with our id', ours(400, -32_600, 'Invalid session')],
    ['400 with our id, about the handshake', ours(400, -32_002, 'Server not initialized')],
    ['400 without an id', (_, res) => void json(res, 400, fail(null, -32_000, 'Bad Request'))],
    ['422 with our id', ours(422, -32_602, 'unknown session')],
  ] as [string, Refuse][])('told as %s is replaced, and the call made once, in the new one', async (_, refuse) => {
    const stage = await stateful(refuse);
    const mcp = client(stage.server.url);
    await mcp.callTool('add', {});
    stage.sessions.clear();
    const answers = await Promise.all(Array.from({ length: 5 }, () => mcp.callTool('add', {})));
    expect(answers).toEqual(Array(5).fill(text('called add')));
    expect(stage.ran).toHaveLength(6);
    expect([...stage.sessions]).toEqual([stage.ran[5]]);
    expect(COUNT(stage.server, 'initialize')).toBe(2);
  });

  it.each([
    ['500', plainText(500, 'Session not found'), UpstreamUnreachable],
    ['500 as a JSON-RPC error', ours(500, -32_603, 'no session'), UpstreamRpcError],
    ['503', plainText(503, ''), UpstreamUnreachable],
    ['200 and an error', ours(200, -32_000, 'unknown client'), UpstreamRpcError],
    ['200 and an error about arguments', ours(200, -32_602, 'No valid session ID'), UpstreamRpcError],
    ['200 and an internal error', ours(200, -32_603, 'oops'), UpstreamRpcError],
  ] as [string, Refuse, new (...args: never[]) => Error][])(
    'told as %s, which may come after the tool, leaves the outcome as it is; the next call works',
    async (_, refuse, kind) => {
      const stage = await stateful(refuse);
      const mcp = client(stage.server.url);
      await mcp.callTool('add', {});
      stage.sessions.clear();
      const before = COUNT(stage.server, 'tools/call');
      await expect(mcp.callTool('add', {})).rejects.toBeInstanceOf(kind);
      expect(COUNT(stage.server, 'tools/call')).toBe(before + 1);
      expect(await mcp.callTool('add', {})).toEqual(text('called add'));
      expect(stage.ran).toHaveLength(2);
    },
  );
});

describe('a session that goes on', () => {
  it.each([
    ['a 500', (_m, _q, res) => void res.writeHead(500).end()],
    ['a 403', (_m, _q, res) => void res.writeHead(403, { 'www-authenticate': 'Bearer' }).end()],
    ['a 429', (_m, _q, res) => void res.writeHead(429).end()],
    ['a 400', (_m, _q, res) => void res.writeHead(400).end('no such thing')],
    ['an error of the tool', (message) => fail(message.id, -32_000, 'The session of the database is busy')],
    ['wrong arguments', (message) => fail(message.id, -32_602, 'Invalid params')],
  ] as [string, Handler][])('is kept after %s, and the call is not made again', async (_, refuse) => {
    let refuses = false;
    const stage = await stateful(plainText(404, ''), (message, req, res) =>
      refuses ? refuse(message, req, res) : plain(message, req, res),
    );
    const mcp = client(stage.server.url);
    await mcp.callTool('add', {});
    refuses = true;
    await expect(mcp.callTool('add', {})).rejects.toThrow();
    expect(stage.ran).toHaveLength(2);
    refuses = false;
    expect(await mcp.callTool('add', {})).toEqual(text('called add'));
    expect(new Set(stage.ran).size).toBe(1);
    expect(COUNT(stage.server, 'initialize')).toBe(1);
  });

  it('is the one that is gone on with once the credentials are good again, and nothing is asked in a circle meanwhile', async () => {
    const stage = await stateful(plainText(401, ''));
    const inner = stage.server.handler;
    let accepts = 'old';
    stage.server.handler = (message, req, res) =>
      req.headers.authorization === accepts ? inner(message, req, res) : void res.writeHead(401).end();
    const mcp = client(stage.server.url);
    mcp.present({ headers: { authorization: 'old' }, masker: null, order: 1 });
    await mcp.callTool('add', {});
    accepts = 'new';
    const before = stage.server.seen.length;
    await expect(mcp.callTool('add', {})).rejects.toMatchObject({ reason: 'unauthorized' });
    // The call, a ping in its session, and the beginning of another one.
    expect(stage.server.seen.length - before).toBe(3);
    mcp.present({ headers: { authorization: 'new' }, masker: null, order: 2 });
    await mcp.callTool('add', {});
    expect(new Set(stage.ran).size).toBe(1);
  });

  it('a server that refuses every session is asked twice at most', async () => {
    const stage = await stateful(plainText(401, ''));
    const mcp = client(stage.server.url);
    await mcp.callTool('add', {});
    const inner = stage.server.handler;
    stage.server.handler = (message, req, res) =>
      message.method === 'initialize' ? inner(message, req, res) : void res.writeHead(401).end();
    const before = COUNT(stage.server, 'tools/call');
    await expect(mcp.callTool('add', {})).rejects.toMatchObject({ reason: 'unauthorized' });
    expect(COUNT(stage.server, 'tools/call') - before).toBeLessThanOrEqual(2);
  });
});

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  cleanUp,
  client,
  fail,
  type Handler,
  json,
  type Message,
  ok,
  plain,
  sessionful,
  text,
  upstream,
} from './upstream-fixture.for-spec.js';
import { UpstreamRpcError } from './mcp-client.errors.js';

afterEach(cleanUp);

describe('revisions', () => {
  it('speaks the stateless revision: envelope, headers, no handshake', async () => {
    const server = await upstream((message) => {
      if (message.method === 'server/discover')
        return ok(message, { supportedVersions: ['2026-07-28'], capabilities: {}, resultType: 'complete' });
      return ok(message, { ...(text('hi') as object), resultType: 'complete' });
    });
    const mcp = client(server.url);
    const result = await mcp.callTool('größe', { a: 1 });
    expect(result).toMatchObject({ content: [{ type: 'text', text: 'hi' }], resultType: 'complete' });
    expect(mcp.protocol).toBe('2026-07-28');
    expect(server.methods()).toEqual(['server/discover', 'tools/call']);
    const call = server.seen[1];
    expect(call?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': `=?base64?${Buffer.from('größe').toString('base64')}?=`,
    });
    expect(call?.message.params._meta).toMatchObject({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'haldir' },
      'io.modelcontextprotocol/clientCapabilities': {},
    });
  });

  it('completes the handshake and carries session and version', async () => {
    const server = await upstream(sessionful(new Set()));
    const mcp = client(server.url);
    await mcp.callTool('add', {});
    await mcp.callTool('add', {});
    expect(mcp.protocol).toBe('2025-11-25');
    expect(server.methods()).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/call',
      'tools/call',
    ]);
    expect(server.seen[4]?.headers).toMatchObject({ 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-11-25' });
  });

  it.each(['2025-06-18', '2025-03-26'])('follows a server down to %s, with or without a session', async (version) => {
    const server = await upstream((message, req, res) => {
      if (message.method === 'initialize') return ok(message, { protocolVersion: version, capabilities: {} });
      if (message.method === 'server/discover')
        return void json(res, 400, fail(null, -32000, 'Bad Request: Server not initialized'));
      return message.id === undefined ? void res.writeHead(202).end() : plain(message, req, res);
    });
    const mcp = client(server.url);
    await mcp.callTool('add', {});
    expect(mcp.protocol).toBe(version);
    expect(server.seen.at(-1)?.headers['mcp-session-id']).toBeUndefined();
  });

  it('falls back to plain JSON-RPC, and finds that out once', async () => {
    const server = await upstream(plain);
    const mcp = client(server.url);
    expect((await mcp.listTools()).tools).toEqual([{ name: 'add', inputSchema: { type: 'object' } }]);
    await Promise.all(Array.from({ length: 10 }, () => mcp.callTool('add', {})));
    expect(mcp.protocol).toBe('json-rpc');
    expect(server.methods().filter((method) => method === 'initialize')).toHaveLength(1);
  });

  it.each([
    ['404 without a body', (_m: Message, _q: unknown, res: ServerResponse) => void res.writeHead(404).end()],
    ['500', (_m: Message, _q: unknown, res: ServerResponse) => void res.writeHead(500).end('oops')],
    ['200 with nonsense', () => ({ hello: 'world' })],
    [
      '200 with HTML',
      (_m: Message, _q: unknown, res: ServerResponse) =>
        void res.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    ],
    ['an empty result', (message: Message) => ok(message, {})],
  ] as [string, Handler][])('takes %s for "does not know the handshake"', async (_name, unknown) => {
    const server = await upstream((message, req, res) =>
      (message.method?.startsWith('tools/') ? plain : unknown)(message, req, res),
    );
    expect(await client(server.url).callTool('add', {})).toEqual(text('called add'));
  });

  it('wraps the answer of a server without MCP into content', async () => {
    const server = await upstream((message, req, res) =>
      message.method === 'tools/call' ? ok(message, { sum: 3 }) : plain(message, req, res),
    );
    expect(await client(server.url).callTool('add', {})).toEqual({
      sum: 3,
      content: [{ type: 'text', text: '{"sum":3}' }],
    });
  });

  it('notices that a server has been replaced by one of another revision', async () => {
    const modern: Handler = (message) =>
      message.method === 'server/discover'
        ? ok(message, { supportedVersions: ['2026-07-28'] })
        : ok(message, text('modern'));
    const server = await upstream(modern);
    const mcp = client(server.url);
    expect(await mcp.callTool('a', {})).toEqual(text('modern'));
    server.handler = sessionful(new Set(), 400);
    expect(await mcp.callTool('a', {})).toEqual(text('called a'));
    expect(mcp.protocol).toBe('2025-11-25');
    server.handler = (message, req, res) =>
      req.headers['mcp-method']
        ? modern(message, req, res)
        : void json(res, 400, fail(message.id, -32022, 'Unsupported protocol version'));
    expect(await mcp.callTool('a', {})).toEqual(text('modern'));
  });
});

describe('sessions', () => {
  it.each([404, 400])(
    're-initialises an expired session unseen, once for all calls that meet it (HTTP %i)',
    async (status) => {
      const sessions = new Set<string>();
      const server = await upstream(sessionful(sessions, status));
      const mcp = client(server.url);
      await mcp.callTool('add', {});
      sessions.clear();
      const results = await Promise.all(Array.from({ length: 20 }, () => mcp.callTool('add', {})));
      expect(results.every((result) => JSON.stringify(result) === JSON.stringify(text('called add')))).toBe(true);
      expect(server.methods().filter((method) => method === 'initialize')).toHaveLength(2);
    },
  );

  it('re-initialises once for calls, lists, resources and prompts that meet it together, and makes each once', async () => {
    const sessions = new Set<string>();
    const base = sessionful(sessions);
    const made: string[] = [];
    const server = await upstream((message, req, res) => {
      const lives = sessions.has(String(req.headers['mcp-session-id']));
      if (lives && message.id !== undefined) made.push(message.method);
      if (lives && ['resources/read', 'prompts/get'].includes(message.method))
        return ok(message, { of: message.method });
      return base(message, req, res);
    });
    const mcp = client(server.url);
    await mcp.listTools();
    sessions.clear();
    made.length = 0;
    const work = Array.from({ length: 5 }, () => [
      mcp.callTool('add', {}),
      mcp.listTools(),
      mcp.read('resources/read', { uri: 'doc://a' }),
      mcp.read('prompts/get', { name: 'p' }),
    ]);
    const answers = await Promise.all(work.flat());
    expect(answers).toHaveLength(20);
    expect(server.methods().filter((method) => method === 'initialize')).toHaveLength(2);
    const each = (method: string): number => made.filter((name) => name === method).length;
    expect(['tools/call', 'tools/list', 'resources/read', 'prompts/get'].map(each)).toEqual([5, 5, 5, 5]);
  });

  it('gives up when a fresh session is refused as well', async () => {
    const server = await upstream(sessionful(new Set()));
    const base = server.handler;
    server.handler = (message, req, res) =>
      message.method === 'tools/call'
        ? void json(res, 404, fail(null, -32001, 'Session not found'))
        : base(message, req, res);
    await expect(client(server.url).callTool('add', {})).rejects.toBeInstanceOf(UpstreamRpcError);
    expect(server.methods().filter((method) => method === 'tools/call')).toHaveLength(2);
  });

  it('lets calls under way end when it is closed, and leaves its session to who goes on with it', async () => {
    const server = await upstream(sessionful(new Set()));
    const mcp = client(server.url);
    await mcp.callTool('add', {});
    const base = server.handler;
    server.handler = async (message, req, res) => {
      await sleep(100);
      return base(message, req, res);
    };
    const calls = [mcp.callTool('add', {}), mcp.callTool('add', {})];
    await sleep(30);
    mcp.close();
    await Promise.all(calls);
    expect(server.methods()).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/call',
      'tools/call',
      'tools/call',
    ]);
  });
});

describe('what an upstream says beside its answer', () => {
  it.each(['tools', 'prompts', 'resources'])('that its %s have changed is told once each time', async (list) => {
    const server = await upstream((message, req, res) => {
      if (message.method !== 'tools/call') return plain(message, req, res);
      const said = (more: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...more })}\n\n`;
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(said({ method: `notifications/${list}/list_changed` }));
      res.write(said({ method: 'notifications/message', params: { level: 'info', data: 'x' } }));
      res.end(said({ id: message.id, result: text('done') }));
    });
    let told = 0;
    const mcp = client(server.url, { onListChange: () => told++ });
    expect(await mcp.callTool('add', {})).toEqual(text('done'));
    expect(told).toBe(1);
    await mcp.callTool('add', {});
    expect(told).toBe(2);
  });
});

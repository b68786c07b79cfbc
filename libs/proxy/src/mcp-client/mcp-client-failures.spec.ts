import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Egress, EgressPolicy, EgressRefused } from '@haldir/egress';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  cleanUp,
  cleanups,
  client,
  fail,
  failure,
  type Handler,
  handshake,
  type Message,
  ok,
  plain,
  sessionful,
  text,
  upstream,
} from './upstream-fixture.for-spec.js';

afterEach(cleanUp);

describe('event streams', () => {
  it('finds the answer among notifications and requests, answers pings, refuses the rest', async () => {
    const server = await upstream(
      handshake((message, _req, res) => {
        if (!message.method) return void res.writeHead(202).end();
        const event = (body: unknown): string => `event: message\r\ndata: ${JSON.stringify(body)}\r\n\r\n`;
        res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
        res.write(': hello\n\nid: 1\ndata:\n\n');
        res.write(event({ jsonrpc: '2.0', method: 'notifications/progress', params: {} }));
        res.write(event({ jsonrpc: '2.0', id: message.id, method: 'ping' }));
        res.write(event({ jsonrpc: '2.0', id: 'x', method: 'sampling/createMessage', params: {} }));
        const answer = event(ok(message, text('été 🙂')));
        const bytes = Buffer.from(answer);
        for (let i = 0; i < bytes.length; i += 7) setTimeout(() => res.write(bytes.subarray(i, i + 7)), i / 7);
        setTimeout(() => res.end(), bytes.length);
        return undefined;
      }),
    );
    expect(await client(server.url).callTool('a', {})).toEqual(text('été 🙂'));
    const replies = (): Message[] =>
      server.seen.map(({ message }) => message).filter(({ method }) => method === undefined);
    await vi.waitFor(() => expect(replies()).toHaveLength(2), 5_000);
    expect(replies()).toMatchObject([{ result: {} }, { id: 'x', error: { code: -32601 } }]);
  });

  it('answers when the answer is there, not when the stream ends', async () => {
    // Of a stream that never ends.
    const server = await upstream(
      handshake(
        (message, _req, res) =>
          void res
            .writeHead(200, { 'content-type': 'text/event-stream' })
            .write(`data: ${JSON.stringify(ok(message, text('now')))}\n\n`),
      ),
    );
    expect(await client(server.url).callTool('a', {})).toEqual(text('now'));
  });

  it('takes a stream up again from its last event, without repeating the call', async () => {
    let asked: Message;
    const server = await upstream(
      handshake((message, req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        if (req.method === 'POST') {
          asked = message;
          return void res.end('id: e1\nretry: 20\ndata:\n\n');
        }
        return void res.end(
          `data: ${JSON.stringify(ok(asked, text(`after ${String(req.headers['last-event-id'])}`)))}\n\n`,
        );
      }),
    );
    expect(await client(server.url).callTool('a', {})).toEqual(text('after e1'));
    expect(server.methods().filter((method) => method === 'tools/call')).toHaveLength(1);
  });

  it('takes it up with the credentials that it began with, whatever has come since', async () => {
    let asked: Message;
    const present = (token: string, order: number): void =>
      mcp.present({ headers: { authorization: token }, masker: { mask: async (said) => hide(said, token) }, order });
    const hide = (said: unknown, token: string): unknown =>
      JSON.parse(JSON.stringify(said).replaceAll(token, '***')) as unknown;
    const server = await upstream(
      handshake((message, req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        if (req.method === 'POST') {
          asked = message;
          present('new-token', 2);
          return void res.end('id: e1\nretry: 20\ndata:\n\n');
        }
        return void res.end(`data: ${JSON.stringify(ok(asked, text(`you are ${req.headers.authorization}`)))}\n\n`);
      }),
    );
    const mcp = client(server.url);
    present('old-token', 1);
    expect(await mcp.callTool('a', {})).toEqual(text('you are ***'));
    present('old-token', 1);
    expect(await mcp.callTool('a', {})).toEqual(text('you are ***'));
    expect(server.seen.filter(({ method }) => method === 'GET').map(({ headers }) => headers.authorization)).toEqual([
      'old-token',
      'new-token',
    ]);
  });
});

describe('failures', () => {
  it('takes a task, which nobody could ask for, for no answer', async () => {
    const task = { resultType: 'task', taskId: 'theirs', status: 'working', pollIntervalMs: 100 };
    const calls = handshake((message) => ok(message, task));
    const server = await upstream((message, req, res) =>
      message.method === 'resources/read' ? ok(message, task) : calls(message, req, res),
    );
    const mcp = client(server.url);
    for (const asked of [mcp.callTool('a', {}), mcp.read('resources/read', { uri: 'a:b' })])
      expect(await failure(asked)).toMatchObject({ reason: 'protocol', sent: true });
  });

  it('tells a JSON-RPC error from a tool error', async () => {
    const server = await upstream(
      handshake((message) =>
        message.params.name === 'rpc'
          ? fail(message.id, -32602, 'Invalid params: a')
          : ok(message, { ...(text('no') as object), isError: true }),
      ),
    );
    const mcp = client(server.url);
    await expect(mcp.callTool('rpc', {})).rejects.toMatchObject({ rpcCode: -32602, rpcMessage: 'Invalid params: a' });
    expect(await mcp.callTool('tool', {})).toMatchObject({ isError: true });
  });

  it.each([
    ['another id', (message: Message) => ok({ id: Number(message.id) + 1 }, text('lie')), 'protocol'],
    [
      'no JSON',
      (_m: Message, _q: unknown, res: ServerResponse) =>
        void res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":'),
      'protocol',
    ],
    [
      'a redirect',
      (_m: Message, _q: unknown, res: ServerResponse) =>
        void res.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      'http_status',
    ],
    ['a huge body', (message: Message) => ok(message, text('x'.repeat(300_000))), 'too_large'],
    [
      'an endless stream',
      (_m: Message, _q: unknown, res: ServerResponse) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        const flood = (): void => void (res.destroyed || res.write(': x\n'.repeat(10_000), () => setImmediate(flood)));
        flood();
      },
      'too_large',
    ],
    [
      'a stream that ends early',
      (_m: Message, _q: unknown, res: ServerResponse) =>
        void res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {}\n\n'),
      'protocol',
    ],
    ['a broken connection', (_m: Message, _q: unknown, res: ServerResponse) => void res.socket?.destroy(), 'reset'],
    [
      '401',
      (_m: Message, _q: unknown, res: ServerResponse) => void res.writeHead(401).end('secret realm'),
      'unauthorized',
    ],
    [
      '503',
      (_m: Message, _q: unknown, res: ServerResponse) => void res.writeHead(503).end('internal trace'),
      'http_status',
    ],
    ['a 202', (_m: Message, _q: unknown, res: ServerResponse) => void res.writeHead(202).end(), 'protocol'],
  ] as [string, Handler, string][])(
    'reports %s, quotes nothing, and does not repeat the call',
    async (_name, respond, reason) => {
      const server = await upstream(handshake(respond));
      const error = await failure(client(server.url, { maxResponseBytes: 100_000 }).callTool('a', {}));
      expect(error.reason).toBe(reason);
      expect(error.message).not.toMatch(/lie|secret|internal|127\.0/);
      expect(server.methods().filter((method) => method === 'tools/call')).toHaveLength(1);
    },
  );

  it('reports a dead upstream, and recovers by itself when it is back', async () => {
    const first = await upstream(sessionful(new Set()));
    const mcp = client(first.url);
    await mcp.callTool('add', {});
    await first.stop();
    expect(await failure(mcp.callTool('add', {}))).toMatchObject({
      reason: expect.stringMatching(/connect|reset/) as string,
    });
    await failure(mcp.callTool('add', {}));
    await upstream(plain, Number(new URL(first.url).port));
    expect(await mcp.callTool('add', {})).toEqual(text('called add'));
  });

  it('ends a hung call at its deadline, cancels it, and delays nobody else', async () => {
    const server = await upstream(
      handshake((message) => (message.params?.name === 'hang' ? undefined : ok(message, text('fast')))),
    );
    const egress = new Egress(new EgressPolicy(['127.0.0.0/8']));
    cleanups.push(() => egress.close());
    const slow = client(server.url, { egress, key: 'slow', connections: 2 });
    const fast = client(server.url, { egress, key: 'fast', connections: 2 });
    await Promise.all([slow.callTool('x', {}), fast.callTool('x', {})]);
    let ended = 0;
    const hang = () => failure(slow.callTool('hang', {}, { deadlineMs: 1_000 })).finally(() => ended++);
    const hung = Promise.all(Array.from({ length: 10 }, hang));
    await sleep(20);
    expect(await fast.callTool('x', {})).toEqual(text('fast'));
    expect(ended).toBe(0);
    const errors = await hung;
    expect(errors.every(({ reason }) => reason === 'timeout')).toBe(true);
    await sleep(50);
    // One that waited may leave on the connection of one that ended, at the last moment; then it says so.
    const heard = server.methods().filter((method) => method === 'tools/call').length - 3;
    const sent = errors.filter((error) => error.sent).length;
    expect([heard >= 2, sent >= heard, sent < 10]).toEqual([true, true, true]);
    await vi.waitFor(() => expect(server.methods()).toContain('notifications/cancelled'), 5_000);
  });

  it('ends at the deadline of the call even while nobody knows how to speak to the upstream', async () => {
    const server = await upstream(() => undefined);
    let isLaterOver = false;
    const later = failure(client(server.url).callTool('a', {}, { deadlineMs: 1_500 })).finally(
      () => (isLaterOver = true),
    );
    expect(await failure(client(server.url).callTool('a', {}, { deadlineMs: 150 }))).toMatchObject({
      reason: 'timeout',
      sent: false,
    });
    expect(isLaterOver).toBe(false);
    await later;
  });

  it('ends when its signal aborts', async () => {
    const server = await upstream(handshake(() => undefined));
    const mcp = client(server.url);
    await mcp.listTools();
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 50);
    expect((await failure(mcp.callTool('a', {}, { signal: controller.signal }))).reason).toBe('aborted');
  });

  it('gives up a stream with more in it than is read at once', async () => {
    let closed = false;
    const server = await upstream(
      handshake((_message, _req, res) => {
        res.on('close', () => (closed = true));
        return void res.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${'['.repeat(300)}\n\n`);
      }),
    );
    expect((await failure(client(server.url).callTool('a', {}))).reason).toBe('protocol');
    await sleep(50);
    expect(closed).toBe(true);
  });

  it('refuses an upstream at an address that is not allowed', () => {
    expect(() => client('http://10.0.0.1/mcp')).toThrow(EgressRefused);
  });
});

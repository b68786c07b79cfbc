import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { McpBridge } from './mcp-bridge.js';

type Answer = (response: ServerResponse, message: Record<string, unknown>, request: IncomingMessage) => void;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A bridge to a server that answers so, and what its client has read. */
async function bridged(answer: Answer) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push(`${request.method} ${request.url}`);
      answer(response, body === '' ? {} : (JSON.parse(body) as Record<string, unknown>), request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const read: unknown[] = [];
  const endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  const bridge = new McpBridge(endpoint, {}, (line) => read.push(JSON.parse(line)), { session: 'ses_1' });
  cleanups.push(
    () => bridge.close(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const pass = (message: object): Promise<void> => bridge.pass(JSON.stringify({ jsonrpc: '2.0', ...message }));
  return { bridge, pass, read, asked };
}

const HANDSHAKE = { protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } } };
const answered = (response: ServerResponse, { id }: Record<string, unknown>, result: object = {}): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
};
const failed = (id: unknown, message: string) => [
  { jsonrpc: '2.0', id, error: { code: -32000, message: expect.stringContaining(message) } },
];
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 20 });

describe('a request', () => {
  it.each([202, 413, 502, 503, 504])(
    'that is answered with HTTP %i and nothing else fails with that',
    async (status) => {
      const { pass, read } = await bridged((response) => void response.writeHead(status).end());
      await pass({ id: 7, method: 'ping' });
      expect(read).toEqual(failed(7, `HTTP ${status}`));
    },
  );

  it.each([301, 302, 307, 308])(
    'that is redirected (%i) goes nowhere else, and its client is told what to set',
    async (status) => {
      const { pass, read, asked } = await bridged(
        (response) => void response.writeHead(status, { location: '/elsewhere' }).end(),
      );
      await pass({ id: 7, method: 'ping' });
      expect([read, asked]).toEqual([failed(7, 'HALDIR_URL'), ['POST /mcp']]);
    },
  );

  it('is answered once, also where the connection breaks after the answer', async () => {
    const { pass, read } = await bridged((response, { id }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n\n`);
      void soon(() => expect(read).toHaveLength(1)).finally(() => response.destroy());
    });
    await pass({ id: 7, method: 'ping' });
    expect(read).toEqual([{ jsonrpc: '2.0', id: 7, result: {} }]);
  });

  it('fails where the connection breaks before its answer', async () => {
    const { pass, read } = await bridged((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n', () => response.destroy());
    });
    await pass({ id: 7, method: 'ping' });
    expect(read).toEqual(failed(7, 'cannot be reached'));
  });
});

it('a notification that is taken is answered with nothing', async () => {
  const { pass, read } = await bridged((response) => void response.writeHead(202).end());
  await pass({ method: 'notifications/initialized' });
  expect(read).toEqual([]);
});

it.each([
  { id: 7, method: 'tools/call' },
  { id: 8, method: 'subscriptions/listen' },
  { method: 'notifications/initialized' },
])('a message that hangs is broken off at the end, without a word: %j', async (message) => {
  const { bridge, pass, read, asked } = await bridged(() => undefined);
  const passing = pass(message);
  await soon(() => expect(asked).toHaveLength(1));
  bridge.close();
  await passing;
  expect(read).toEqual([]);
});

describe('what a client says before its handshake is answered', () => {
  it('waits until that is read whole, and repeats what it said', async () => {
    let answer = (): void => undefined;
    const sessions: unknown[] = [];
    const { pass, asked } = await bridged((response, message, { method, headers }) => {
      if (method === 'GET') return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
      sessions.push([headers['mcp-session-id'], headers['mcp-protocol-version']]);
      if (message['method'] !== 'initialize') return void response.writeHead(202).end();
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'of-the-handshake' });
      response.flushHeaders();
      answer = () => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: HANDSHAKE }));
    });
    const all = [pass({ id: 1, method: 'initialize' }), pass({ method: 'notifications/initialized' })];
    await soon(() => expect(asked).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer();
    await Promise.all(all);
    expect(sessions[1]).toEqual(['of-the-handshake', '2025-11-25']);
    await soon(() => expect(asked).toContain('GET /mcp'));
  });
});

describe('the stream', () => {
  it('is opened by the first request after a handshake that comes through', async () => {
    let isAway = true;
    const { pass, asked } = await bridged((response, message, { method }) => {
      if (message['method'] === 'initialize') answered(response, message, HANDSHAKE);
      else if (isAway) response.writeHead(503).end();
      else if (method === 'GET') response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
      else answered(response, message);
    });
    await pass({ id: 1, method: 'initialize' });
    await pass({ method: 'notifications/initialized' });
    expect(asked).not.toContain('GET /mcp');
    isAway = false;
    await pass({ id: 2, method: 'ping' });
    await soon(() => expect(asked).toContain('GET /mcp'));
  });

  it('that was refused is asked for again by the next one', async () => {
    let status = 405;
    const { pass, asked } = await bridged((response, message, { method }) => {
      if (method !== 'GET') answered(response, message, HANDSHAKE);
      else if (status !== 200) response.writeHead(status).end();
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
    });
    const opened = (): number => asked.filter((request) => request === 'GET /mcp').length;
    await pass({ id: 1, method: 'initialize' });
    await pass({ method: 'notifications/initialized' });
    await soon(() => expect(opened()).toBe(1));
    status = 200;
    await pass({ id: 2, method: 'ping' });
    await soon(() => expect(opened()).toBe(2));
  });
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Egress, EgressPolicy } from '@haldir/egress';
import { expect } from 'vitest';
import { McpClient } from './mcp-client.js';
import { type McpClientOptions } from './mcp-client.options.js';
import { UpstreamUnreachable } from './mcp-client.errors.js';

/* What a parsed JSON-RPC message may hold is up to the test. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- messages of any shape
export type Message = any;
export type Handler = (message: Message, req: IncomingMessage, res: ServerResponse) => unknown;

/** Undone by `cleanUp`, last first. */
export const cleanups: (() => Promise<unknown>)[] = [];

/** For `afterEach` of every file that makes upstreams or clients here. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export interface Upstream {
  url: string;
  seen: { method: string; message: Message; headers: IncomingMessage['headers'] }[];
  methods: () => string[];
  handler: Handler;
  stop: () => Promise<void>;
}

/** An upstream whose handler answers a message by returning the JSON body, or by itself through `res`. */
export async function upstream(handler: Handler, port = 0): Promise<Upstream> {
  const server = createServer((req, res) => {
    let text = '';
    req.on('data', (chunk: Buffer) => (text += chunk.toString()));
    req.on('end', () => {
      const message: Message = text === '' ? {} : JSON.parse(text);
      self.seen.push({ method: req.method ?? '', message, headers: req.headers });
      void Promise.resolve(self.handler(message, req, res)).then((body) => {
        if (body !== undefined && !res.writableEnded) json(res, res.statusCode, body);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  const self: Upstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen: [],
    methods: () => self.seen.map(({ method, message }) => message.method ?? method),
    handler,
    stop,
  };
  cleanups.push(stop);
  return self;
}

export function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export const ok = (message: Message, result: unknown): unknown => ({ jsonrpc: '2.0', id: message.id, result });
export const fail = (id: unknown, code: number, text: string): unknown => ({
  jsonrpc: '2.0',
  id,
  error: { code, message: text },
});
export const text = (value: string): unknown => ({ content: [{ type: 'text', text: value }] });

/** JSON-RPC without any MCP: knows `tools/list` and `tools/call` only. */
export const plain: Handler = (message) => {
  if (message.method === 'tools/list')
    return ok(message, { tools: [{ name: 'add', inputSchema: { type: 'object' } }] });
  if (message.method === 'tools/call') return ok(message, text(`called ${message.params.name}`));
  return fail(message.id, -32601, 'Method not found');
};

/** A sessionful 2025-11-25 server; sessions can be dropped by clearing `sessions`. */
export function sessionful(sessions: Set<string>, status = 404): Handler {
  let next = 1;
  return (message, req, res) => {
    if (message.method === 'initialize') {
      const id = `s${next++}`;
      sessions.add(id);
      res.setHeader('mcp-session-id', id);
      return ok(message, { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } });
    }
    if (!sessions.has(String(req.headers['mcp-session-id']))) {
      res.statusCode = status;
      return fail(null, -32000, 'Bad Request: No valid session ID provided');
    }
    if (message.id === undefined) return void res.writeHead(202).end();
    return plain(message, req, res);
  };
}

export const handshake = (respond: Handler): Handler => {
  const base = sessionful(new Set());
  return (message, req, res) =>
    message.method === 'tools/call' || !message.method ? respond(message, req, res) : base(message, req, res);
};

export function client(url: string, options: Partial<McpClientOptions> = {}): McpClient {
  const egress = new Egress(new EgressPolicy(['127.0.0.0/8']));
  cleanups.push(() => egress.close());
  return new McpClient({ egress, url, key: 'test', deadlineMs: 15_000, ...options });
}

export const failure = (promise: Promise<unknown>): Promise<UpstreamUnreachable> =>
  promise.then(
    (value) => expect.unreachable(`answered ${JSON.stringify(value)}`),
    (error: unknown) => {
      expect(error).toBeInstanceOf(UpstreamUnreachable);
      return error as UpstreamUnreachable;
    },
  );

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo } from 'node:net';
import { freePort } from '../../scripts/embedded/ports.mjs';

/** An MCP server of someone else's, as a process of its own that can die and come back on its port. */
export interface EverythingServer {
  readonly url: string;
  start(): Promise<void>;
  /** Ends it at once, as a crash would; its sessions are gone. */
  kill(): Promise<void>;
}

/** The reference server `@modelcontextprotocol/server-everything` over Streamable HTTP, started. */
export async function startEverything(): Promise<EverythingServer> {
  const entry = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js');
  const port = await freePort();
  let child: ChildProcess | null = null;
  const kill = async (): Promise<void> => {
    if (!child) return;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    child = null;
  };
  process.once('exit', () => child?.kill('SIGKILL'));
  const start = async (): Promise<void> => {
    const started = spawn(process.execPath, [entry, 'streamableHttp'], {
      env: { PATH: process.env.PATH, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.once('exit', () => reject(new Error('server-everything ended')));
      started.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('listening')) resolve();
      });
    });
  };
  await start();
  return { url: `http://127.0.0.1:${port}/mcp`, start, kill };
}

export interface UpstreamCall {
  tool: string;
  arguments: Record<string, unknown>;
}

/** An upstream of a test, in its process. Change what it offers and answers as the test goes on. */
export interface FakeUpstream {
  readonly url: string;
  /** Calls in the order they came. */
  readonly calls: UpstreamCall[];
  tools: { name: string; [member: string]: unknown }[];
  /** What a tool answers: a result, or an `RpcFailure` to throw. */
  answer: (call: UpstreamCall) => unknown;
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

/** A JSON-RPC error. */
export class RpcFailure extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message);
  }
}

/** What an MCP tool answers with one text. */
export const text = (value: string): unknown => ({ content: [{ type: 'text', text: value }] });

interface Message {
  id?: number;
  method: string;
  params: { name: string; arguments: Record<string, unknown> };
}

/** Speaks plain JSON-RPC, without any handshake; each tool answers its own name until told otherwise. */
export async function startFakeUpstream(...toolNames: string[]): Promise<FakeUpstream> {
  const port = await freePort();
  let server = createServer();
  const fake: FakeUpstream = {
    url: `http://127.0.0.1:${port}/rpc`,
    calls: [],
    tools: toolNames.map((name) => ({ name, inputSchema: { type: 'object' } })),
    answer: ({ tool }) => text(tool),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
    start: async () => {
      server = createServer((request, response) => void serve(request, response));
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    },
  };
  const resultOf = (message: Message): unknown => {
    if (message.method === 'tools/list') return { tools: fake.tools };
    if (message.method !== 'tools/call') throw new RpcFailure(-32601, 'Method not found');
    const call = { tool: message.params.name, arguments: message.params.arguments };
    fake.calls.push(call);
    return fake.answer(call);
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    // A port that another test had before may still be asked for what was there.
    if (body === '') return void response.writeHead(400).end();
    const message = JSON.parse(body) as Message;
    let outcome: object;
    try {
      outcome = { result: await resultOf(message) };
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error;
      outcome = { error: { code: error.code, message: error.message, data: error.data } };
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...outcome }));
  };
  await fake.start();
  return fake;
}

/** A port on which nothing answers, although connections are taken: a hung upstream. */
export async function startHungUpstream(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

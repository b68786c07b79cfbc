import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { NO_SUCH_METHOD, rpcListener, serveHttp, type Upstream } from './upstream-server.js';

/** An MCP server of someone else's, as a process of its own that can die and come back on its port. */
export interface EverythingServer {
  readonly url: string;
  start(): Promise<void>;
  /** Ends it at once, as a crash would; its sessions are gone. */
  kill(): Promise<void>;
}

/**
 * The reference server `@modelcontextprotocol/server-everything`, started.
 *
 * @param transport Streamable HTTP unless it says otherwise
 */
export async function startEverything(
  transport: 'streamableHttp' | 'sse' = 'streamableHttp',
): Promise<EverythingServer> {
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
    const started = spawn(process.execPath, [entry, transport], {
      env: { PATH: process.env.PATH, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.once('exit', () => reject(new Error('server-everything ended')));
      started.stderr.on('data', (chunk: Buffer) => {
        if (/listening|running on port/.test(chunk.toString())) resolve();
      });
    });
  };
  await start();
  return { url: `http://127.0.0.1:${port}/${transport === 'sse' ? 'sse' : 'mcp'}`, start, kill };
}

export interface UpstreamCall {
  tool: string;
  arguments: Record<string, unknown>;
}

/** An upstream of a test, in its process. Change what it offers and answers as the test goes on. */
export interface FakeUpstream extends Upstream {
  /** Calls in the order they came. */
  readonly calls: UpstreamCall[];
  tools: { name: string; [member: string]: unknown }[];
  /** What a tool answers: a result, or an `RpcFailure` to throw. */
  answer: (call: UpstreamCall) => unknown;
  /** Calls of each tool that are read whole, and whose connection is cut before one is answered. */
  drops: number;
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

/**
 * Speaks plain JSON-RPC, without any handshake; each tool answers its own name until told otherwise.
 *
 * @param tools their names, or annotations by name
 */
export async function startFakeUpstream(...tools: (string | Record<string, object>)[]): Promise<FakeUpstream> {
  const port = await freePort();
  const inputSchema = { type: 'object' };
  const listener = rpcListener(async ({ method, params }) => {
    if (method === 'tools/list') return { result: { tools: fake.tools } };
    if (method !== 'tools/call') return NO_SUCH_METHOD;
    const call = { tool: String(params['name']), arguments: params['arguments'] as Record<string, unknown> };
    fake.calls.push(call);
    if (fake.calls.filter(({ tool }) => tool === call.tool).length <= fake.drops) return 'drop';
    try {
      return { result: await fake.answer(call) };
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error;
      return { error: { code: error.code, message: error.message, data: error.data } };
    }
  });
  let served = await serveHttp(listener, port);
  const fake: FakeUpstream = {
    url: `http://127.0.0.1:${port}/rpc`,
    calls: [],
    tools: tools.flatMap((tool) =>
      typeof tool === 'string'
        ? [{ name: tool, inputSchema }]
        : Object.entries(tool).map(([name, annotations]) => ({ name, annotations, inputSchema })),
    ),
    answer: ({ tool }) => text(tool),
    drops: 0,
    stop: () => served.stop(),
    start: async () => {
      served = await serveHttp(listener, port);
    },
  };
  return fake;
}

/** A port on which nothing answers, although connections are taken: a hung upstream. */
export function startHungUpstream(): Promise<Upstream> {
  return serveHttp(() => undefined);
}

// What every upstream of the tests stands on: a server on loopback, and two ways to answer what comes to it.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';

/** A server of a test, in its process. */
export interface Upstream {
  readonly url: string;
  stop(): Promise<void>;
}

/** Takes requests on a port of loopback; `stop` breaks off what is under way. */
export async function serveHttp(listener: RequestListener, port = 0): Promise<Upstream> {
  const server = createServer(listener);
  // However slow the machine is, no connection is closed just as a request comes on it.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

type McpFactory = Parameters<typeof createMcpHandler>[0];
type McpOptions = NonNullable<Parameters<typeof createMcpHandler>[1]> & {
  /** Sees each request first; true when it has answered it. */
  before?: (request: IncomingMessage, response: ServerResponse) => boolean;
};

/** An upstream of the stateless revision on the official server library; `create` makes what answers one request. */
export async function serveMcp(create: McpFactory, { before, ...options }: McpOptions = {}): Promise<Upstream> {
  const handler = createMcpHandler(create, options);
  const serve = toNodeHandler(handler);
  const { url, stop } = await serveHttp((request, response) => {
    if (before?.(request, response) !== true) void serve(request, response);
  });
  return {
    url,
    stop: async () => {
      await handler.close();
      await stop();
    },
  };
}

/** A message of JSON-RPC. */
export interface RpcQuestion {
  id?: number;
  method: string;
  params: Record<string, unknown>;
}

/** A result; an error; null for none, ever; `drop` to cut the connection. */
export type RpcAnswer =
  { result: unknown } | { error: { code: number; message: string; data?: unknown } } | null | 'drop';

export const NO_SUCH_METHOD: RpcAnswer = { error: { code: -32601, message: 'Method not found' } };

/** How an upstream takes requests that it answers one by one, in JSON; notifications are taken without a word. */
export function rpcListener(answer: (question: RpcQuestion) => RpcAnswer | Promise<RpcAnswer>): RequestListener {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    // A port that another test had before may still be asked for what was there.
    if (body === '') return void response.writeHead(400).end();
    const message = JSON.parse(body) as RpcQuestion;
    const { id } = message;
    if (id === undefined) return void response.writeHead(202).end();
    const answered = await answer({ ...message, params: message.params ?? {} });
    if (answered === 'drop') request.socket.destroy();
    else if (answered !== null)
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id, ...answered }));
  };
  return (request, response) => void serve(request, response);
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An upstream that reads a call whole and drops its connection, as often as is said. */
export interface BreakingUpstream {
  readonly url: string;
  /** Names of the tools called, in the order the calls arrived. */
  readonly arrivals: string[];
  /** Calls of each tool that are dropped before one is answered. */
  drops: number;
  stop(): Promise<void>;
}

interface Message {
  id: number;
  method: string;
  params: { name: string };
}

/** @param tools their annotations by name */
export async function startBreakingUpstream(tools: Record<string, object>): Promise<BreakingUpstream> {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { id, method, params } = JSON.parse(await text(request)) as Message;
    const say = (outcome: object): void => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
    };
    if (method === 'tools/list') {
      const inputSchema = { type: 'object' };
      say({
        result: { tools: Object.entries(tools).map(([name, annotations]) => ({ name, annotations, inputSchema })) },
      });
    } else if (method === 'tools/call') {
      upstream.arrivals.push(params.name);
      if (upstream.arrivals.filter((name) => name === params.name).length <= upstream.drops) request.socket.destroy();
      else say({ result: { content: [{ type: 'text', text: `did ${params.name}` }] } });
    } else {
      say({ error: { code: -32601, message: 'Method not found' } });
    }
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream: BreakingUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    arrivals: [],
    drops: 1,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return upstream;
}

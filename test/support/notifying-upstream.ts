import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Server, type Tool } from '@modelcontextprotocol/server';

/** An upstream with a handshake, on the official server library, that says on its standing streams when its tools change. */
export interface NotifyingUpstream {
  readonly url: string;
  tools: Tool[];
  /** How often it was asked for its tools. */
  lists: number;
  /** Whether it has standing streams. */
  streams: boolean;
  /** Standing streams that were refused. */
  refused: number;
  /** Standing streams that were opened, ever. */
  opened: number;
  /** Those that are open. */
  heard(): number;
  /** Says that its tools have changed. */
  say(): void;
  change(name: string, members: Partial<Tool>): void;
  stop(): Promise<void>;
}

/** Every tool answers its own name. */
export async function startNotifyingUpstream(...names: string[]): Promise<NotifyingUpstream> {
  const sessions = new Map<string, { server: Server; transport: NodeStreamableHTTPServerTransport }>();
  const streams = new Set<ServerResponse>();

  const begin = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const server = new Server(
      { name: 'notifying', version: '1.0.0' },
      { capabilities: { tools: { listChanged: true } } },
    );
    server.setRequestHandler('tools/list', () => {
      upstream.lists++;
      return { tools: upstream.tools };
    });
    server.setRequestHandler('tools/call', ({ params }) => ({ content: [{ type: 'text', text: params.name }] }));
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport }),
    });
    await server.connect(transport);
    return transport;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET') {
      if (!upstream.streams) {
        upstream.refused++;
        response.writeHead(405).end();
        return;
      }
      upstream.opened++;
      streams.add(response);
      response.once('close', () => streams.delete(response));
    }
    const known = sessions.get(String(request.headers['mcp-session-id']));
    await (known?.transport ?? (await begin())).handleRequest(request, response);
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream: NotifyingUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    tools: names.map((name) => ({ name, description: `Does ${name}`, inputSchema: { type: 'object' } })),
    lists: 0,
    streams: true,
    refused: 0,
    opened: 0,
    heard: () => streams.size,
    say: () => {
      for (const { server: mcp } of sessions.values()) void mcp.sendToolListChanged().catch(() => undefined);
    },
    change: (name, members) => {
      upstream.tools = upstream.tools.map((tool) => (tool.name === name ? { ...tool, ...members } : tool));
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return upstream;
}

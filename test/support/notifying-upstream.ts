import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Server } from '@modelcontextprotocol/server';
import { type ChangingUpstream } from './changing-upstream.js';
import { serveHttp } from './upstream-server.js';

/** An upstream with a handshake, on the official server library, that says on its standing streams when its tools change. */
export interface NotifyingUpstream extends Omit<ChangingUpstream, 'beforeList'> {
  /** Whether it has standing streams. */
  streams: boolean;
  /** Standing streams that were refused. */
  refused: number;
  /** Standing streams that were opened, ever. */
  opened: number;
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
    server.setRequestHandler('tools/call', ({ params }) => {
      upstream.calls.push({ tool: params.name, arguments: params.arguments ?? {} });
      return { content: [{ type: 'text', text: params.name }] };
    });
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
  const served = await serveHttp((request, response) => void serve(request, response));
  const upstream: NotifyingUpstream = {
    ...served,
    tools: names.map((name) => ({ name, description: `Does ${name}`, inputSchema: { type: 'object' } })),
    calls: [],
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
  };
  return upstream;
}

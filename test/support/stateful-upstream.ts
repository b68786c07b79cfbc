import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { serveHttp, type Upstream } from './upstream-server.js';

/** An upstream with a handshake, on the official server library, that keeps a page for each of its sessions. */
export interface StatefulUpstream extends Upstream {
  /** The pages of its sessions that live, by their ids. */
  readonly pages: ReadonlyMap<string, string>;
  /** Sessions that were begun, ever. */
  readonly begun: string[];
  /** Sessions that were ended by a DELETE. */
  readonly ended: string[];
  /** Forgets all sessions, as a restart would. */
  lose(): Promise<void>;
}

/** @param options with `single`, it has one transport, which begins one session and ends with it, as many servers do */
export async function startStatefulUpstream({ single = false } = {}): Promise<StatefulUpstream> {
  const pages = new Map<string, string>();
  const transports = new Map<string, NodeStreamableHTTPServerTransport>();
  const begun: string[] = [];
  const ended: string[] = [];

  const begin = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const server = new McpServer({ name: 'stateful', version: '1.0.0' });
    const page = (): string => pages.get(transport.sessionId ?? '') ?? 'gone';
    const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
    server.registerTool('goto', { inputSchema: z.object({ page: z.string() }) }, async ({ page: to }) => {
      pages.set(transport.sessionId ?? '', to);
      return text(`went to ${to}`);
    });
    server.registerTool('page', { inputSchema: z.object({}) }, async () => text(page()));
    server.registerResource('page', 'page:it', {}, async (uri) => ({ contents: [{ uri: uri.href, text: page() }] }));
    server.registerPrompt('say', {}, async () => ({
      messages: [{ role: 'user', content: { type: 'text', text: page() } }],
    }));
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        begun.push(id);
        pages.set(id, 'blank');
        transports.set(id, transport);
      },
      onsessionclosed: (id) => {
        ended.push(id);
        pages.delete(id);
        transports.delete(id);
      },
    });
    await server.connect(transport);
    return transport;
  };
  let only = single ? await begin() : null;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { 'mcp-session-id': id } = request.headers;
    if (only) return only.handleRequest(request, response);
    if (id === undefined) return (await begin()).handleRequest(request, response);
    const transport = transports.get(String(id));
    if (transport) return transport.handleRequest(request, response);
    const error = { code: -32_001, message: 'Session not found' };
    response
      .writeHead(404, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
  };
  const served = await serveHttp((request, response) => void serve(request, response));
  return {
    ...served,
    pages,
    begun,
    ended,
    lose: async () => {
      pages.clear();
      transports.clear();
      if (only) only = await begin();
    },
  };
}

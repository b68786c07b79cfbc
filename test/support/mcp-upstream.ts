import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** An upstream on the official server library, of the stateless revision. */
export interface McpUpstream {
  readonly url: string;
  /** Calls of `wait` that were broken off. */
  cancelled: number;
  /** Calls of `wait` under way. */
  waiting: number;
  stop(): Promise<void>;
}

const REGIONS = ['eu', 'us'] as const;

export async function startMcpUpstream(): Promise<McpUpstream> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'upstream', version: '1.0.0' });
    server.registerTool(
      'weather',
      {
        title: 'Weather',
        description: 'The weather of a region',
        inputSchema: z.object({ region: z.enum(REGIONS).meta({ 'x-mcp-header': 'Region' }) }),
        outputSchema: z.object({ degrees: z.number() }),
        annotations: { readOnlyHint: true, openWorldHint: true },
      },
      async ({ region }) => ({
        content: [{ type: 'text', text: `fine in ${region}` }],
        structuredContent: { degrees: 21.5 },
        _meta: { 'example.com/source': 'station' },
      }),
    );
    server.registerTool('fail', { inputSchema: z.object({}) }, async () => ({
      content: [{ type: 'text', text: 'it did not work' }],
      isError: true,
    }));
    server.registerTool('count', { inputSchema: z.object({ to: z.int() }) }, async ({ to }, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= to && progressToken !== undefined; progress++) {
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: to, message: `at ${progress}` },
        });
      }
      return { content: [{ type: 'text', text: `counted to ${to}` }] };
    });
    server.registerTool('wait', { inputSchema: z.object({}) }, async (_, { mcpReq }) => {
      upstream.waiting++;
      await new Promise<void>((resolve) => mcpReq.signal.addEventListener('abort', () => resolve(), { once: true }));
      upstream.waiting--;
      upstream.cancelled++;
      return { content: [] };
    });
    return server;
  });
  const server = createServer((request, response) => void toNodeHandler(handler)(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream: McpUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    cancelled: 0,
    waiting: 0,
    stop: async () => {
      await handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return upstream;
}

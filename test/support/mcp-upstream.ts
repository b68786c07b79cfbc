import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { serveMcp, type Upstream } from './upstream-server.js';

/** An upstream on the official server library, of the stateless revision. */
export interface McpUpstream extends Upstream {
  /** Calls of `wait` that were broken off. */
  cancelled: number;
  /** Calls of `wait` under way. */
  waiting: number;
}

const REGIONS = ['eu', 'us'] as const;

export async function startMcpUpstream(): Promise<McpUpstream> {
  const counts = { cancelled: 0, waiting: 0 };
  const served = await serveMcp(() => {
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
      counts.waiting++;
      await new Promise<void>((resolve) => mcpReq.signal.addEventListener('abort', () => resolve(), { once: true }));
      counts.waiting--;
      counts.cancelled++;
      return { content: [] };
    });
    return server;
  });
  return Object.assign(counts, served);
}

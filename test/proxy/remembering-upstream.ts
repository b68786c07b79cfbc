import { type IncomingHttpHeaders } from 'node:http';
import { serveMcp, type Upstream } from '@haldir/test-support';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';

/**
 * An upstream on the official server library that keeps what it was sent, and says it to whoever asks: by its tools, in progress,
 * as an error, in a resource, a prompt and the description of a tool.
 */
export interface RememberingUpstream extends Upstream {
  /** What it was sent last by `remember`, or told by a test. */
  memory: string;
  /** Of all requests, without what came twice. */
  readonly authorizations: string[];
  /** Whether the description of `recall` says it. */
  describes: boolean;
  /** Calls of `await` under way. */
  waiting: number;
  /** Requests with these headers are answered with a 401. */
  refuses: (headers: IncomingHttpHeaders) => boolean;
}

export async function startRememberingUpstream(): Promise<RememberingUpstream> {
  const waiting = new Set<() => void>();
  const upstream = {
    memory: 'nothing yet',
    authorizations: [] as string[],
    describes: false,
    waiting: 0,
    refuses: (_: IncomingHttpHeaders): boolean => false,
  };
  const create = (): McpServer => {
    const server = new McpServer({ name: 'upstream', version: '1.0.0' });
    const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
    server.registerTool('remember', { inputSchema: z.object({ v: z.string() }) }, async ({ v }) => {
      upstream.memory = v;
      for (const end of waiting) end();
      return text('kept');
    });
    const description = upstream.describes ? `says ${upstream.memory}` : 'says it again';
    server.registerTool('recall', { description, inputSchema: z.object({}) }, async () =>
      text(`it was ${upstream.memory}`),
    );
    server.registerTool('authorization', { inputSchema: z.object({ nth: z.int() }) }, async ({ nth }) =>
      text(`it was ${upstream.authorizations[nth]}`),
    );
    server.registerTool('same', { inputSchema: z.object({ guess: z.string() }) }, async ({ guess }) => text(guess));
    server.registerTool('fail', { inputSchema: z.object({}) }, async () => ({
      ...text(`no: ${upstream.memory}`),
      isError: true,
    }));
    server.registerTool('report', { inputSchema: z.object({}) }, async (_, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      if (progressToken !== undefined) {
        const params = { progressToken, progress: 1, total: 1, message: `at ${upstream.memory}` };
        await mcpReq.notify({ method: 'notifications/progress', params });
      }
      return text('done');
    });
    // Answers once something is remembered.
    server.registerTool('await', { inputSchema: z.object({}) }, async () => {
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        upstream.waiting = waiting.size;
      });
      return text(`it is ${upstream.memory}`);
    });
    server.registerResource('memory', 'memory:it', {}, async (uri) => ({
      contents: [{ uri: uri.href, text: `it was ${upstream.memory}` }],
    }));
    server.registerResource('any', new ResourceTemplate('any:{what}', { list: undefined }), {}, async (uri) => ({
      contents: [{ uri: uri.href, text: 'nothing' }],
    }));
    server.registerPrompt('say', {}, async () => ({
      messages: [{ role: 'user', content: { type: 'text', text: `say ${upstream.memory}` } }],
    }));
    return server;
  };
  const served = await serveMcp(create, {
    before: ({ headers }, response) => {
      const { authorization } = headers;
      if (upstream.refuses(headers)) {
        response.writeHead(401).end();
        return true;
      }
      if (authorization !== undefined && !upstream.authorizations.includes(authorization))
        upstream.authorizations.push(authorization);
      return false;
    },
  });
  return Object.assign(upstream, served);
}

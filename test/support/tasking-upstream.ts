import { randomUUID } from 'node:crypto';
import { Server, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { serveMcp, type Upstream } from './upstream-server.js';
import { type UpstreamCall } from './upstreams.js';

/** What becomes of a task, as `tasks/get` has it. */
export type TaskState = { status: string; pollIntervalMs?: number } & Record<string, unknown>;

/** An upstream on the official server library that makes a task of each call of `work`, where it is told that its client goes on with one. */
export interface TaskingUpstream extends Upstream {
  /** Calls in the order they came. */
  readonly calls: UpstreamCall[];
  /** By their ids, as they are now; one that is taken away is unknown. */
  readonly tasks: Map<string, TaskState>;
  /** Questions for tasks, and the authorizations that they came with. */
  readonly asked: (string | undefined)[];
  readonly cancelled: string[];
  /** Of a task that is made. */
  begin: TaskState;
  /** Sees each question for a task first: true to refuse it, as one that may not ask. */
  refuses: (authorization: string | undefined) => boolean;
}

const EXTENSION = 'io.modelcontextprotocol/tasks';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const params = z.looseObject({ taskId: z.string() });

export async function startTaskingUpstream(): Promise<TaskingUpstream> {
  const upstream: Omit<TaskingUpstream, keyof Upstream> = {
    ...{ calls: [], tasks: new Map(), asked: [], cancelled: [] },
    begin: { status: 'working', pollIntervalMs: 250 },
    refuses: () => false,
  };
  const isDeclared = ({ mcpReq }: ServerContext): boolean => {
    const said = mcpReq.envelope as Record<string, { extensions?: Record<string, unknown> }> | undefined;
    return said?.[CAPABILITIES]?.extensions?.[EXTENSION] !== undefined;
  };
  const create = (): Server => {
    const server = new Server(
      { name: 'tasking', version: '1.0.0' },
      { capabilities: { tools: {}, extensions: { [EXTENSION]: {} } } },
    );
    const tool = { name: 'work', inputSchema: { type: 'object' as const } };
    server.setRequestHandler('tools/list', () => ({ tools: [tool] }));
    server.setRequestHandler('tools/call', (request, context) => {
      upstream.calls.push({ tool: request.params.name, arguments: request.params.arguments ?? {} });
      if (!isDeclared(context)) return { content: [{ type: 'text', text: 'at once' }] };
      const taskId = randomUUID();
      upstream.tasks.set(taskId, upstream.begin);
      return { resultType: 'task', ...factsOf(taskId), ...upstream.begin } as never;
    });
    server.setRequestHandler('tasks/get', { params }, ({ taskId }, context) => {
      const state = upstream.tasks.get(taskId);
      if (!isDeclared(context) || !state) throw Object.assign(new Error('Task not found'), { code: -32602 });
      return { ...factsOf(taskId), ...state };
    });
    server.setRequestHandler('tasks/cancel', { params }, ({ taskId }) => {
      upstream.cancelled.push(taskId);
      return {};
    });
    return server;
  };
  const served = await serveMcp(create, {
    before: ({ headers }, response) => {
      if (headers['mcp-method'] !== 'tasks/get') return false;
      upstream.asked.push(headers.authorization);
      if (!upstream.refuses(headers.authorization)) return false;
      response.writeHead(401).end();
      return true;
    },
  });
  return Object.assign(upstream, served);
}

function factsOf(taskId: string): object {
  const at = new Date().toISOString();
  return { taskId, createdAt: at, lastUpdatedAt: at, ttlMs: 60_000 };
}

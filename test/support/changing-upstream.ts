import { InMemoryServerEventBus, Server, type Tool } from '@modelcontextprotocol/server';
import { serveMcp, type Upstream } from './upstream-server.js';
import { type UpstreamCall } from './upstreams.js';

/** An upstream on the official server library whose tools are what the test says they are at that moment. */
export interface ChangingUpstream extends Upstream {
  tools: Tool[];
  /** Calls in the order they came. */
  readonly calls: UpstreamCall[];
  /** How often it was asked for its tools. */
  lists: number;
  /** Subscriptions to what it says of its own accord. */
  heard(): number;
  /** Says that its tools have changed. */
  say(): void;
  /** Waited for before a list is given. */
  beforeList: () => Promise<void>;
  /** Gives a tool other members; a member that is undefined is taken away. */
  change(name: string, members: Partial<Tool>): void;
}

/** Every tool takes any arguments and answers its own name. */
export async function startChangingUpstream(...names: string[]): Promise<ChangingUpstream> {
  const bus = new InMemoryServerEventBus();
  const upstream: Omit<ChangingUpstream, keyof Upstream> = {
    tools: names.map((name) => ({ name, description: `Does ${name}`, inputSchema: { type: 'object' } })),
    calls: [],
    lists: 0,
    heard: () => bus.listenerCount,
    say: () => bus.publish({ kind: 'tools_list_changed' }),
    beforeList: () => Promise.resolve(),
    change: (name, members) => {
      upstream.tools = upstream.tools.map((tool) => (tool.name === name ? { ...tool, ...members } : tool));
    },
  };
  const served = await serveMcp(
    () => {
      const mcp = new Server(
        { name: 'changing', version: '1.0.0' },
        { capabilities: { tools: { listChanged: true } } },
      );
      mcp.setRequestHandler('tools/list', async () => {
        upstream.lists++;
        const { tools } = upstream;
        await upstream.beforeList();
        return { tools };
      });
      mcp.setRequestHandler('tools/call', ({ params }) => {
        upstream.calls.push({ tool: params.name, arguments: params.arguments ?? {} });
        return { content: [{ type: 'text', text: params.name }] };
      });
      return mcp;
    },
    { bus },
  );
  return Object.assign(upstream, served);
}

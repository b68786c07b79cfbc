import {
  type Balancer,
  BareMcp,
  type Client,
  type FakeUpstream,
  type McpRevision,
  startFakeUpstream,
} from '@haldir/test-support';

export interface Entry {
  session_id: string;
  tool: string;
  action: string;
  details: Record<string, unknown>;
}

/** A tenant whose agent has a session and an upstream named `up`. */
export class McpScenario {
  private constructor(
    private readonly balancer: Balancer,
    readonly tenant: Client,
    readonly session: string,
    readonly upstream: FakeUpstream,
  ) {}

  static async begin(balancer: Balancer, tenant: Client, tools: string[], scopes = ['execute']): Promise<McpScenario> {
    const upstream = await startFakeUpstream(...tools);
    const { body } = await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
    if (body['healthy'] !== true) throw new Error(`not registered: ${JSON.stringify(body)}`);
    return new McpScenario(balancer, tenant, await tenant.session({ agent_id: 'agent', scopes }), upstream);
  }

  agent(revision: McpRevision = 'stateless', session: string | undefined = this.session): BareMcp {
    return new BareMcp({ url: this.balancer.url, key: this.tenant.key ?? '', session }, revision);
  }

  /** By its key alone. */
  operator(key = this.tenant.key ?? ''): BareMcp {
    return new BareMcp({ url: this.balancer.url, key });
  }

  async toolNames(client: BareMcp): Promise<string[]> {
    const { message } = await client.ask('tools/list');
    return (message?.result?.['tools'] as { name: string }[]).map(({ name }) => name);
  }

  policy(type: string, parameters: Record<string, unknown>): Promise<string> {
    return this.tenant.post('/v1/proxy/policies', { type, ...parameters }).then(({ body }) => String(body['id']));
  }

  /** Of tool calls, oldest first. */
  async entries(tool?: string): Promise<Entry[]> {
    const query = tool === undefined ? '' : `&tool=${tool}`;
    const { body } = await this.tenant.get<{ entries: (Omit<Entry, 'details'> & { details: string })[] }>(
      `/v1/audit?limit=1000${query}`,
    );
    return body.entries
      .filter(({ action }) => action.startsWith('tool_call'))
      .map((entry) => ({ ...entry, details: JSON.parse(entry.details) as Record<string, unknown> }))
      .reverse();
  }
}

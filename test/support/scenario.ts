import { type Balancer } from './balancer.js';
import { Client, type Reply } from './client.js';
import { BareMcp, type McpRevision } from './mcp.js';
import { type AppProcess } from './processes.js';
import { type Upstream } from './upstream-server.js';
import { type FakeUpstream, startFakeUpstream } from './upstreams.js';
import { type World } from './world.js';

/** As much of a world as a scenario needs. */
type Processes = Pick<World, 'apis' | 'newTenant'>;

/** What REST answers to a call. */
export interface CallResult {
  isError?: boolean;
  content: { type: string; text: string }[];
  error?: string;
  code?: string;
}

/** An entry of the log, its details parsed. */
export interface LogEntry {
  session_id: string;
  tool: string;
  action: string;
  flagged: boolean;
  details: Record<string, unknown>;
}

interface Options {
  /** Of the session. */
  scopes?: string[];
  /** Default: a new one, of the agent `agent`. */
  session?: string;
  tenant?: Client;
  /** Where agents speak MCP; default: the tenant's process. */
  balancer?: Balancer;
}

/** A tenant, a session of its agent, and the upstreams they have; `up` is the one that most of its tests are about. */
export class Scenario<Up = null> {
  private readonly kept: { stop(): Promise<unknown> }[] = [];

  private constructor(
    private readonly world: Processes,
    readonly tenant: Client,
    readonly session: string,
    private readonly mcpUrl: string,
    readonly up: Up,
  ) {}

  /** Without an upstream. */
  static begin(world: Processes, options: Options = {}): Promise<Scenario> {
    return Scenario.make(world, null, options);
  }

  /** With an upstream of these tools, registered as `up`. */
  static async of(world: Processes, tools: string[], options: Options = {}): Promise<Scenario<FakeUpstream>> {
    const scenario = await Scenario.around(world, await startFakeUpstream(...tools), options);
    await scenario.registered('up', scenario.up.url);
    return scenario;
  }

  /** With an upstream that is not registered yet. */
  static async around<Up extends Upstream>(world: Processes, up: Up, options: Options = {}): Promise<Scenario<Up>> {
    const scenario = await Scenario.make(world, up, options);
    scenario.keep(up);
    return scenario;
  }

  private static async make<Up>(world: Processes, up: Up, options: Options): Promise<Scenario<Up>> {
    const { scopes = ['execute'], tenant = await world.newTenant(), balancer = tenant } = options;
    const session = options.session ?? (await tenant.session({ agent_id: 'agent', scopes }));
    return new Scenario(world, tenant, session, balancer.url, up);
  }

  /** The tenant at one of the processes. */
  at(process: number): Client {
    return this.tenant.at(this.world.apis[process % this.world.apis.length] as AppProcess);
  }

  /** The tenant at the second process. */
  get there(): Client {
    return this.at(1);
  }

  /** Another key of the tenant. */
  async keyOf(scopes: string[]): Promise<Client> {
    return new Client(this.tenant.url, (await this.tenant.post<{ key: string }>('/v1/keys', { scopes })).body.key);
  }

  register(name: string, url: string, more: Record<string, unknown> = {}): Promise<Reply> {
    return this.tenant.post('/v1/proxy/upstreams', { name, url, ...more });
  }

  /** A registered upstream with these tools; it ends with the scenario. */
  async upstream(name: string, ...tools: string[]): Promise<FakeUpstream> {
    const upstream = this.keep(await startFakeUpstream(...tools));
    await this.registered(name, upstream.url);
    return upstream;
  }

  keep<T extends { stop(): Promise<unknown> }>(upstream: T): T {
    this.kept.push(upstream);
    return upstream;
  }

  /** The policy's id. */
  async policy(type: string, parameters: Record<string, unknown>): Promise<string> {
    const { status, body } = await this.tenant.post('/v1/proxy/policies', { type, ...parameters });
    if (status !== 201) throw new Error(`no policy: ${status} ${JSON.stringify(body)}`);
    return String(body['id']);
  }

  /** Over REST. */
  call(
    tool: string,
    args: object = {},
    { by = this.tenant, session = this.session, key }: { by?: Client; session?: string; key?: string } = {},
  ): Promise<Reply<CallResult>> {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    return by.post<CallResult>('/v1/proxy/call', { tool, arguments: args, session_id: session }, headers);
  }

  async statusOf(tool: string, args: object = {}, by = this.tenant): Promise<number> {
    return (await this.call(tool, args, { by })).status;
  }

  agent(revision: McpRevision = 'stateless', session: string | undefined = this.session): BareMcp {
    return new BareMcp({ url: this.mcpUrl, key: this.tenant.key ?? '', session }, revision);
  }

  /** By its key alone. */
  operator(key = this.tenant.key ?? ''): BareMcp {
    return new BareMcp({ url: this.mcpUrl, key });
  }

  async toolNames(client: BareMcp): Promise<string[]> {
    const { message } = await client.ask('tools/list');
    return (message?.result?.['tools'] as { name: string }[]).map(({ name }) => name);
  }

  /** What the log says of an action, newest first. */
  async entries(action: string): Promise<LogEntry[]> {
    return (await this.log()).filter((entry) => entry.action === action);
  }

  /** What the log says of calls, of one tool or of all, oldest first. */
  async callEntries(tool?: string): Promise<LogEntry[]> {
    const entries = await this.log(tool === undefined ? '' : `&tool=${tool}`);
    return entries.filter(({ action }) => action.startsWith('tool_call')).reverse();
  }

  async end(): Promise<void> {
    await Promise.all(this.kept.map((upstream) => upstream.stop()));
  }

  private async registered(name: string, url: string): Promise<void> {
    const { status, body } = await this.register(name, url);
    if (status !== 201 || body['healthy'] !== true)
      throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
  }

  private async log(query = ''): Promise<LogEntry[]> {
    const { body } = await this.tenant.get<{ entries: (Omit<LogEntry, 'details'> & { details: string | null })[] }>(
      `/v1/audit?limit=1000${query}`,
    );
    return body.entries.map((entry) => ({
      ...entry,
      details: JSON.parse(entry.details ?? '{}') as Record<string, unknown>,
    }));
  }
}

/** What the one text block of an answer of Haldir's own says. */
export function saying({ body }: Reply<CallResult>): Record<string, unknown> {
  if (body.content.length !== 1) throw new Error('Haldir itself speaks in one block');
  return JSON.parse(body.content[0]?.text ?? '') as Record<string, unknown>;
}

/** How many replies there are of each status. */
export function byStatus(replies: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

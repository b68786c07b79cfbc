import {
  type AppProcess,
  type Client,
  type FakeUpstream,
  type Reply,
  startFakeUpstream,
  type World,
} from '@haldir/test-support';

export interface Result {
  isError?: boolean;
  content: { type: string; text: string }[];
  error?: string;
  code?: string;
}

/** A tenant, an agent's session, and the upstreams they have. */
export class ProxyScenario {
  private readonly upstreams: { stop(): Promise<void> }[] = [];

  constructor(
    readonly tenant: Client,
    readonly session: string,
  ) {}

  /** @param scopes of the session */
  static async begin(tenant: Client, scopes = ['execute']): Promise<ProxyScenario> {
    return new ProxyScenario(tenant, await tenant.session({ agent_id: 'agent', scopes }));
  }

  register(name: string, url: string): Promise<Reply> {
    return this.tenant.post('/v1/proxy/upstreams', { name, url });
  }

  /** A registered upstream with these tools; it ends with the scenario. */
  async upstream(name: string, ...tools: string[]): Promise<FakeUpstream> {
    const upstream = this.keep(await startFakeUpstream(...tools));
    const { status, body } = await this.register(name, upstream.url);
    if (status !== 201 || body['healthy'] !== true)
      throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
    return upstream;
  }

  keep<T extends { stop(): Promise<void> }>(upstream: T): T {
    this.upstreams.push(upstream);
    return upstream;
  }

  /** The policy's id. */
  async policy(type: string, parameters: Record<string, unknown>): Promise<string> {
    const { status, body } = await this.tenant.post('/v1/proxy/policies', { type, ...parameters });
    if (status !== 201) throw new Error(`no policy: ${status} ${JSON.stringify(body)}`);
    return String(body['id']);
  }

  call(
    tool: string,
    args: Record<string, unknown> = {},
    { by = this.tenant, session = this.session, key }: { by?: Client; session?: string; key?: string } = {},
  ): Promise<Reply<Result>> {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    return by.post<Result>('/v1/proxy/call', { tool, arguments: args, session_id: session }, headers);
  }

  async statusOf(tool: string, args: Record<string, unknown> = {}, by = this.tenant): Promise<number> {
    return (await this.call(tool, args, { by })).status;
  }

  async end(): Promise<void> {
    await Promise.all(this.upstreams.map((upstream) => upstream.stop()));
  }
}

/** A scenario in a world of two processes, with an upstream named `up`. */
export class ScenarioOfTwo extends ProxyScenario {
  private constructor(
    tenant: Client,
    session: string,
    /** The tenant at the second process. */
    readonly there: Client,
    readonly up: FakeUpstream,
  ) {
    super(tenant, session);
    this.keep(up);
  }

  static async of(world: World, ...tools: string[]): Promise<ScenarioOfTwo> {
    const scenario = await ProxyScenario.begin(await world.newTenant());
    const up = await scenario.upstream('up', ...tools);
    return new ScenarioOfTwo(scenario.tenant, scenario.session, scenario.tenant.at(world.apis[1] as AppProcess), up);
  }
}

/** What the one text block of an answer of Haldir's own says. */
export function saying({ body }: Reply<Result>): Record<string, unknown> {
  if (body.content.length !== 1) throw new Error('Haldir itself speaks in one block');
  return JSON.parse(body.content[0]?.text ?? '') as Record<string, unknown>;
}

export const times = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

/** How many replies there are of each status. */
export function byStatus(replies: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

import {
  type AppProcess,
  type Balancer,
  BareMcp,
  type ChangingUpstream,
  Client,
  type Environment,
  type Receiver,
  type Reply,
  startBalancer,
  startChangingUpstream,
  startReceiver,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';

export interface Result {
  isError?: boolean;
  code?: string;
  content: { text: string }[];
}
export interface Entry {
  tool: string;
  action: string;
  flagged: boolean;
  details: Record<string, unknown>;
}

/** Processes with a worker, a balancer before them and a receiver of events. */
export class Stage {
  private hooks = 0;

  private constructor(
    readonly world: World,
    private readonly worker: AppProcess,
    readonly balancer: Balancer,
    readonly receiver: Receiver,
  ) {}

  static async start(options: { processes: number; environment?: Environment }): Promise<Stage> {
    const world = await startWorld(options);
    const worker = await startWorker(world.environment);
    return new Stage(world, worker, await startBalancer(world.apis), await startReceiver());
  }

  /** A webhook of the tenant; where its deliveries arrive. */
  async webhook(tenant: Client, event: string): Promise<string> {
    const hook = `hook-${this.hooks++}`;
    const { body } = await tenant.post('/v1/webhooks', { url: this.receiver.url(hook), events: [event] });
    this.receiver.expectSecrets(Number(body['webhook_id']), [String(body['secret'])]);
    return hook;
  }

  async stop(): Promise<void> {
    await this.balancer.stop();
    await this.worker.stop();
    await this.world.stop();
    await this.receiver.stop();
  }
}

/** A tenant whose agent has a session, and an upstream whose tools change; it is not registered yet. */
export class ChangingScenario {
  private constructor(
    private readonly stage: Stage,
    readonly tenant: Client,
    readonly session: string,
    readonly upstream: ChangingUpstream,
  ) {}

  static async begin(stage: Stage, ...tools: string[]): Promise<ChangingScenario> {
    const tenant = await stage.world.newTenant();
    const session = await tenant.session({ agent_id: 'agent', scopes: ['execute'] });
    return new ChangingScenario(stage, tenant, session, await startChangingUpstream(...tools));
  }

  /** The tenant at one of the processes. */
  at(process: number): Client {
    return this.tenant.at(this.stage.world.apis[process % this.stage.world.apis.length] as AppProcess);
  }

  register(more: Record<string, unknown> = {}): Promise<Reply> {
    return this.tenant.post('/v1/proxy/upstreams', { name: 'up', url: this.upstream.url, ...more });
  }

  call(tool: string, args: object = { n: 1 }, by = this.tenant): Promise<Reply<Result>> {
    return by.post<Result>('/v1/proxy/call', { tool, arguments: args, session_id: this.session });
  }

  agent(): BareMcp {
    return new BareMcp({ url: this.stage.balancer.url, key: this.tenant.key ?? '', session: this.session });
  }

  /** Another key of the tenant. */
  async keyOf(scopes: string[]): Promise<Client> {
    return new Client(this.tenant.url, (await this.tenant.post<{ key: string }>('/v1/keys', { scopes })).body.key);
  }

  /** What the log says of an action, newest first. */
  async entries(action: string): Promise<Entry[]> {
    const { body } = await this.tenant.get<{ entries: (Omit<Entry, 'details'> & { details: string })[] }>(
      '/v1/audit?limit=1000',
    );
    return body.entries
      .filter((entry) => entry.action === action)
      .map((entry) => ({ ...entry, details: JSON.parse(entry.details) as Record<string, unknown> }));
  }

  end(): Promise<void> {
    return this.upstream.stop();
  }
}

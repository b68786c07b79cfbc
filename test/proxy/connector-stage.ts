import {
  type AppProcess,
  type Balancer,
  type ConnectCommand,
  eventually,
  Scenario,
  startBalancer,
  startConnectCommand,
  startConnector,
  startWorker,
  startWorld,
  type TestConnector,
  type World,
} from '@haldir/test-support';

type ConnectorOptions = Parameters<typeof startConnector>[0];
type CommandOptions = NonNullable<Parameters<typeof startConnectCommand>[2]>;

/** Two processes with a worker and a balancer before them, and what connects to them for one test: all of it ends with the test. */
export class ConnectorStage {
  private current: Scenario | undefined;
  private connected: { end(): Promise<unknown> }[] = [];
  private turn = 0;

  private constructor(
    readonly world: World,
    private readonly worker: AppProcess,
    readonly balancer: Balancer,
  ) {}

  static async start(): Promise<ConnectorStage> {
    const world = await startWorld({ processes: 2 });
    const [worker, balancer] = await Promise.all([startWorker(world.environment), startBalancer(world.apis)]);
    return new ConnectorStage(world, worker, balancer);
  }

  async stop(): Promise<void> {
    await Promise.all([this.balancer.stop(), this.worker.stop()]);
    await this.world.stop();
  }

  /** A tenant for the next test. */
  async begin(): Promise<Scenario> {
    return (this.current = await Scenario.begin(this.world, { balancer: this.balancer }));
  }

  /** After a test. */
  async end(): Promise<void> {
    const { connected, current } = this;
    this.connected = [];
    await Promise.all(connected.map((one) => one.end()));
    await current?.end();
  }

  async connectorKey(upstream = 'fs', secrets: string[] = []): Promise<string> {
    const asked = { connector: { upstream, secrets } };
    const { status, body } = await this.scenario.tenant.post<{ key: string }>('/v1/keys', asked);
    expect([status, body]).toMatchObject([201, { ...asked, scopes: [] }]);
    return body.key;
  }

  /** A connector of the test's own before a server, as upstream `fs`. */
  async connector(server: ConnectorOptions['server'], more: Partial<ConnectorOptions> = {}): Promise<TestConnector> {
    const key = more.key ?? (await this.connectorKey());
    const connector = await startConnector({ url: this.balancer.url, key, name: 'fs', server, ...more });
    this.connected.push({ end: () => connector.stop() });
    return connector;
  }

  /** `haldir connect`, as upstream `up`. */
  async command(options: CommandOptions = {}): Promise<ConnectCommand> {
    const command = await startConnectCommand(this.scenario.tenant, this.balancer.url, options);
    this.connected.push({ end: () => command.kill() });
    return command;
  }

  session(agent: string): Promise<string> {
    return this.scenario.tenant.session({ agent_id: agent, scopes: ['read', 'execute'], ttl: 3_600 });
  }

  /** The texts of an answer, over the processes in turn. */
  async call(tool: string, args: object = {}, session = this.scenario.session): Promise<string[]> {
    const { status, body } = await this.scenario.call(tool, args, { by: this.scenario.at(this.turn++), session });
    expect([status, body]).toEqual([200, expect.objectContaining({ content: expect.any(Array) as unknown[] })]);
    return body.content.map(({ text }) => text);
  }

  /** As the list of upstreams has `fs`; undefined where it has not. */
  async shown(): Promise<Record<string, unknown> | undefined> {
    const { body } = await this.scenario.tenant.get<{ upstreams: Record<string, Record<string, unknown>> }>(
      '/v1/proxy/upstreams',
    );
    return body.upstreams['fs'];
  }

  /** Resolves once `fs` is there with so many tools. */
  listed(tools: number): Promise<void> {
    return eventually(async () => {
      const shown = await this.shown();
      expect([shown?.['healthy'], shown?.['tools'], shown?.['error']]).toEqual([true, tools, undefined]);
    }, 60_000);
  }

  /** The lease ends, as thirty seconds after its connector was killed. */
  async forget({ instance }: Pick<TestConnector, 'instance'>): Promise<void> {
    const ends = `UPDATE connector_lease SET ends_at = now() - interval '1 second' WHERE instance = $1`;
    await this.world.sql(ends, [instance]);
  }

  private get scenario(): Scenario {
    if (!this.current) throw new Error('no test has begun');
    return this.current;
  }
}

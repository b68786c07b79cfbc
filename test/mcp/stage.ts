import {
  type AppProcess,
  type Balancer,
  type Client,
  type Environment,
  type Receiver,
  startBalancer,
  startReceiver,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';

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

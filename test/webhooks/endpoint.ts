import {
  type AppProcess,
  type Arrival,
  type Client,
  eventually,
  type Receiver,
  startReceiver,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';

export type Body = Record<string, unknown>;

export interface Registered extends Body {
  webhook_id: number;
  secret: string;
}

/** An attempt, as the delivery log shows it. */
export interface Delivery extends Body {
  id: string;
  event_id: string;
  status_code: number | null;
  error: string | null;
  next_attempt_at: number | null;
}

let paths = 0;

/** An endpoint of a tenant, at a path of its own. */
export class Endpoint {
  readonly path = `endpoint-${++paths}`;
  registered: Registered = { webhook_id: 0, secret: '' };

  private constructor(
    readonly receiver: Receiver,
    readonly client: Client,
  ) {}

  static async of(receiver: Receiver, client: Client, more: Body = {}): Promise<Endpoint> {
    const endpoint = new Endpoint(receiver, client);
    const { status, body } = await client.post<Registered>('/v1/webhooks', {
      url: receiver.url(endpoint.path),
      ...more,
    });
    if (status !== 201) throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
    endpoint.registered = body;
    receiver.expectSecrets(body.webhook_id, [body.secret]);
    if (body['format'] !== 'haldir') receiver.expectMessages(body.webhook_id);
    return endpoint;
  }

  get id(): number {
    return this.registered.webhook_id;
  }

  get arrivals(): Arrival[] {
    return this.receiver.at(this.path);
  }

  /** Waits until that many deliveries have arrived, and answers them. */
  async received(count: number, withinMs = 10_000): Promise<Arrival[]> {
    return eventually(() => {
      expect(this.arrivals.length).toBeGreaterThanOrEqual(count);
      return this.arrivals;
    }, withinMs);
  }

  async test(): Promise<string> {
    const { status, body } = await this.client.post<{ event_id: string }>(`/v1/webhooks/${this.id}/test`);
    expect([status, body]).toEqual([
      202,
      {
        queued: true,
        webhook_id: this.id,
        event_id: expect.stringMatching(/^evt_/),
        delivery_id: expect.stringMatching(/^dlv_/),
      },
    ]);
    return body.event_id;
  }

  async deliveries(query = ''): Promise<Delivery[]> {
    const list = `/v1/webhooks/deliveries?webhook_id=${this.id}${query}`;
    return (await this.client.get<{ deliveries: Delivery[] }>(list)).body.deliveries;
  }

  /** Waits until that many attempts are written down, newest first. */
  attempts(count: number, withinMs = 10_000): Promise<Delivery[]> {
    return eventually(async () => {
      const deliveries = await this.deliveries();
      expect(deliveries.length).toBeGreaterThanOrEqual(count);
      return deliveries;
    }, withinMs);
  }

  async shown(): Promise<Body | undefined> {
    const { webhooks } = (await this.client.get<{ webhooks: Body[] }>('/v1/webhooks')).body;
    return webhooks.find(({ webhook_id }) => webhook_id === this.id);
  }
}

/** Has an agent ask for approval, which tells the tenant's endpoints; answers the request's id. */
export async function requestApproval(client: Client, more: Body = {}): Promise<string> {
  const session_id = await client.session({ agent_id: 'asker' });
  return (await client.post<{ request_id: string }>('/v1/approvals/request', { session_id, ...more })).body.request_id;
}

/** A world with a worker and a receiver, for the tests of one file; a test in which a delivery was not signed as it has to be fails. */
class DeliveryWorld {
  world!: World;
  worker!: AppProcess;
  receiver!: Receiver;

  /** Registers an endpoint of the receiver. */
  readonly register = (client: Client, more?: Body): Promise<Endpoint> => Endpoint.of(this.receiver, client, more);
}

/** Starts it before the tests of the file that asks, and stops it after them. */
export function deliveryWorld(environment: Record<string, string> = {}): DeliveryWorld {
  const here = new DeliveryWorld();
  beforeAll(async () => {
    here.world = await startWorld({ environment: { WEBHOOK_TIMEOUT_SECONDS: '2', ...environment } });
    here.worker = await startWorker(here.world.environment);
    here.receiver = await startReceiver();
  });
  afterAll(async () => {
    await here.worker.stop();
    await here.world.stop();
    await here.receiver.stop();
  });
  afterEach(() => {
    expect(here.receiver.faults).toEqual([]);
  });
  return here;
}

import {
  type AppProcess,
  type Client,
  eventually,
  type Receiver,
  startReceiver,
  startTestRedis,
  startWorker,
  startWorld,
  testRedisUrl,
  type World,
} from '@haldir/test-support';
import { Endpoint } from './endpoint.js';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.stop());
afterEach(() => {
  expect(receiver.faults).toEqual([]);
});

/** Causes `count` events of a tenant, some at a time, and answers the ids of the requests they are about. */
async function cause(
  client: Client,
  count: number,
  onEach: (caused: number) => void = () => undefined,
): Promise<string[]> {
  const session_id = await client.session();
  const requests: string[] = [];
  let begun = 0;
  const causeOn = async (): Promise<void> => {
    while (begun < count) {
      const action = `no ${begun++}`;
      const { status, body } = await client.post<{ request_id: string }>('/v1/approvals/request', {
        session_id,
        action,
      });
      if (status !== 201) throw new Error(`the API answered ${status}`);
      requests.push(body.request_id);
      onEach(requests.length);
    }
  };
  await Promise.all(Array.from({ length: 20 }, causeOn));
  return requests;
}

/** Hears of requests alone, not of the burst they make. */
const register = (tenant: Client): Promise<Endpoint> =>
  Endpoint.of(receiver, tenant, { events: ['approval_requested'] });

/** Waits until every request was told to every endpoint, and answers how many deliveries came twice. */
async function allArrive(endpoints: Endpoint[], requests: string[], withinMs = 60_000): Promise<number> {
  const missing = (): string[] =>
    endpoints.flatMap((endpoint) => {
      const told = new Set(endpoint.arrivals.map(({ body }) => body['request_id']));
      return requests.filter((request) => !told.has(request));
    });
  await eventually(() => expect(missing()).toHaveLength(0), withinMs, 50);
  const idOf = new Map<unknown, string>();
  for (const { body, id } of endpoints.flatMap(({ arrivals }) => arrivals)) {
    expect(idOf.get(body['request_id']) ?? id).toBe(id);
    idOf.set(body['request_id'], id);
  }
  return endpoints.reduce((sum, { arrivals }) => sum + arrivals.length - requests.length, 0);
}

async function eventuallySettled(world: World, withinMs = 15_000): Promise<void> {
  await eventually(
    async () => {
      const states = await world.sql('SELECT state, leased_until FROM webhook_delivery GROUP BY 1, 2');
      expect(states).toEqual([{ state: 'delivered', leased_until: null }]);
    },
    withinMs,
    100,
  );
}

const arrived = (endpoints: Endpoint[]): number => endpoints.reduce((sum, { arrivals }) => sum + arrivals.length, 0);

describe('workers', () => {
  let world: World;
  const workers: AppProcess[] = [];
  const start = async (): Promise<AppProcess> => {
    const worker = await startWorker(world.environment);
    workers.push(worker);
    return worker;
  };
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await world.stop();
  });

  it('killed in the middle of 1,000 events lose none, and the API takes them all the while', async () => {
    const tenant = await world.newTenant();
    const endpoints = [await register(tenant), await register(tenant)];
    const [first, second] = await Promise.all([start(), start()]);
    const causing = cause(tenant, 1000);
    await eventually(() => expect(arrived(endpoints)).toBeGreaterThan(100), 20_000, 1);
    await first.kill();
    await eventually(() => expect(arrived(endpoints)).toBeGreaterThan(400), 20_000, 1);
    await second.kill();
    const requests = await causing;
    const before = arrived(endpoints);
    expect(before).toBeLessThan(2000);
    await start();
    const twice = await allArrive(endpoints, requests);
    // What was under way when a worker died may come twice, under the same webhook-id.
    expect(twice).toBeLessThan(250);
    await eventuallySettled(world);
  }, 120_000);

  it('asked to end finish what runs, and leave the rest free for the next', async () => {
    const tenant = await world.newTenant();
    const endpoints = [await register(tenant), await register(tenant)];
    for (const { path } of endpoints) {
      receiver.answer(path, () => new Promise((resolve) => setTimeout(() => resolve(204), 100)));
    }
    const requests = await cause(tenant, 150);
    await eventually(() => expect(arrived(endpoints)).toBeGreaterThan(20), 20_000, 1);
    const [running] = workers.splice(-1);
    expect(await running?.stop()).toBe(0);
    const [leased] = await world.sql(
      'SELECT count(*)::integer AS held FROM webhook_delivery WHERE leased_until IS NOT NULL',
    );
    expect(leased).toEqual({ held: 0 });
    const [written] = await world.sql(
      `SELECT count(*)::integer AS done FROM webhook_attempt WHERE webhook_id = ANY ($1)`,
      [endpoints.map(({ id }) => id)],
    );
    expect(written).toEqual({ done: arrived(endpoints) });
    expect(arrived(endpoints)).toBeLessThan(300);
    await start();
    expect(await allArrive(endpoints, requests)).toBe(0);
    await eventuallySettled(world);
  }, 60_000);

  it('do not let an endpoint that never answers delay those of others', async () => {
    const [silent, tenant] = [await world.newTenant(), await world.newTenant()];
    const holes = await Promise.all(Array.from({ length: 5 }, () => register(silent)));
    for (const { path } of holes) receiver.answer(path, () => null);
    const endpoint = await register(tenant);
    await cause(silent, 100);
    await eventually(() => expect(arrived(holes)).toBeGreaterThan(10), 10_000);
    const givenUp = async (): Promise<number> =>
      (await world.sql('SELECT FROM webhook_attempt WHERE webhook_id = ANY ($1)', [holes.map(({ id }) => id)])).length;
    /** Of each round, how many tries of the silent ones had been given up by its end, which takes fifteen seconds. */
    const rounds: number[] = [];
    for (let round = 0; round < 10; round++) {
      const [request] = await cause(tenant, 1);
      await eventually(
        () => expect(endpoint.arrivals.map(({ body }) => body['request_id'])).toContain(request),
        30_000,
      );
      rounds.push(await givenUp());
    }
    // One that waited for them would end with them; the machine may be too slow for all rounds in that time.
    expect(rounds.slice(0, 3)).toEqual([0, 0, 0]);
  }, 60_000);
});

// Both runs of the suite would do the same here, so the one about queues on Redis does it.
describe.skipIf(testRedisUrl() === null)('Redis', () => {
  it('may die and come back, or forget everything, and no event is lost; nor does its absence keep a process from ending', async () => {
    const redis = await startTestRedis();
    if (!redis) throw new Error('the run about Redis has one');
    const world = await startWorld({ environment: { REDIS_URL: redis.url } });
    const worker = await startWorker(world.environment);
    try {
      const tenant = await world.newTenant();
      const endpoints = [await register(tenant), await register(tenant)];
      const during = async (count: number, act: () => Promise<void>): Promise<string[]> => {
        const before = arrived(endpoints);
        const causing = cause(tenant, count);
        await eventually(() => expect(arrived(endpoints)).toBeGreaterThan(before + 50), 20_000, 1);
        await act();
        return causing;
      };
      const first = await during(500, () => redis.kill());
      expect((await tenant.get('/v1/approvals')).status).toBe(200);
      await redis.restart();
      await allArrive(endpoints, first);
      const second = await during(500, () => redis.flush());
      await allArrive(endpoints, [...first, ...second]);
      await eventuallySettled(world);
      await redis.kill();
      await eventually(async () => expect((await fetch(`${worker.url}/readyz`)).status).toBe(503));
      for (const app of [worker, ...world.apis]) {
        // Not by force, once its time to end is over: that would be a signal.
        expect(await app.stop()).toBe(0);
      }
    } finally {
      await worker.kill();
      await world.stop();
      await redis.stop();
    }
  }, 120_000);
});

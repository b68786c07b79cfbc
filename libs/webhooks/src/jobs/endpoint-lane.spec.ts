import { EndpointHealth } from '../endpoint-health.js';
import { type Assignment, EndpointLane, type LaneWork } from './endpoint-lane.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const assignment = (eventId: number): Assignment =>
  ({ delivery: { eventId: String(eventId) } }) as unknown as Assignment;
const numberOf = ({ delivery }: Assignment): number => Number(delivery.eventId);

/** An endpoint with so many deliveries due, whose answers a test gives by hand or at once. */
class FakeEndpoint implements LaneWork {
  readonly health = new EndpointHealth(8);
  readonly sent: number[] = [];
  readonly released: number[] = [];
  readonly claims: number[] = [];
  mostAtOnce = 0;
  /** Null: answers wait for `answer()`. */
  outcome: ((n: number) => { goOn: boolean; written: Promise<void> }) | null = () => ({
    goOn: true,
    written: Promise.resolve(),
  });
  claimFails = false;
  private readonly open: (() => void)[] = [];
  private claimed = 0;
  private under = 0;

  constructor(private due: number) {}

  add(more: number): void {
    this.due += more;
  }

  claim = async (take: number): Promise<Assignment[]> => {
    this.claims.push(take);
    await settled();
    if (this.claimFails) throw new Error('the database is away');
    const first = this.claimed;
    this.claimed = Math.min(this.due, first + take);
    return Array.from({ length: this.claimed - first }, (_, i) => assignment(first + i));
  };

  send = async (wanted: Assignment): Promise<{ goOn: boolean; written: Promise<void> }> => {
    this.sent.push(numberOf(wanted));
    this.under++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.under);
    if (this.outcome === null) await new Promise<void>((resolve) => this.open.push(resolve));
    else await settled();
    this.under--;
    return this.outcome?.(numberOf(wanted)) ?? { goOn: true, written: Promise.resolve() };
  };

  release = async (assignments: Assignment[]): Promise<void> => {
    this.released.push(...assignments.map(numberOf));
  };

  /** Answers what is under way. */
  answer(): void {
    for (const resolve of this.open.splice(0)) resolve();
  }

  lane(): EndpointLane {
    return new EndpointLane({ tenantId: 'tnt', webhookId: 1 }, this.health, this);
  }
}

it('sends everything that is due, each once, as many at once as the endpoint’s health allows', async () => {
  const endpoint = new FakeEndpoint(100);
  await endpoint.lane().run();
  expect(new Set(endpoint.sent).size).toBe(100);
  expect(endpoint.sent).toHaveLength(100);
  expect(endpoint.mostAtOnce).toBe(4);
});

it('ends at once when nothing is due', async () => {
  const endpoint = new FakeEndpoint(0);
  await endpoint.lane().run();
  expect([endpoint.claims.length, endpoint.sent]).toEqual([1, []]);
});

it('looks again when something became due meanwhile', async () => {
  const endpoint = new FakeEndpoint(1);
  endpoint.outcome = null;
  const lane = endpoint.lane();
  const run = lane.run();
  await settled();
  await settled();
  expect(endpoint.sent).toEqual([0]);
  endpoint.add(2);
  lane.again();
  endpoint.outcome = () => ({ goOn: true, written: Promise.resolve() });
  endpoint.answer();
  await run;
  expect(endpoint.sent).toEqual([0, 1, 2]);
});

it('asked to stop, finishes what is under way and lets go of the rest', async () => {
  const endpoint = new FakeEndpoint(100);
  endpoint.outcome = null;
  const lane = endpoint.lane();
  let ended = false;
  const run = lane.run().then(() => (ended = true));
  await settled();
  await settled();
  expect(endpoint.sent).toHaveLength(4);
  lane.stop();
  await settled();
  expect([ended, endpoint.sent.length, endpoint.released.length]).toEqual([false, 4, 12]);
  endpoint.answer();
  await run;
  expect(endpoint.sent).toHaveLength(4);
});

it('stops when the endpoint takes no more, and claims nothing further', async () => {
  const endpoint = new FakeEndpoint(100);
  endpoint.outcome = (n) => ({ goOn: n !== 2, written: Promise.resolve() });
  const claimsBefore = 1;
  await endpoint.lane().run();
  expect(endpoint.claims).toHaveLength(claimsBefore);
  expect(endpoint.sent.length + endpoint.released.length).toBe(16);
  expect(endpoint.released.length).toBeGreaterThan(0);
});

it('ends only when every outcome is written down, and fails when one cannot be', async () => {
  const endpoint = new FakeEndpoint(3);
  let write: () => void = () => undefined;
  const written = new Promise<void>((resolve) => (write = resolve));
  endpoint.outcome = (n) => ({ goOn: true, written: n === 1 ? written : Promise.resolve() });
  let ended = false;
  const run = endpoint
    .lane()
    .run()
    .then(() => (ended = true));
  for (let i = 0; i < 10; i++) await settled();
  expect([ended, endpoint.sent]).toEqual([false, [0, 1, 2]]);
  write();
  await run;

  const failing = new FakeEndpoint(3);
  failing.outcome = (n) => ({
    goOn: true,
    written: n === 1 ? Promise.reject(new Error('no database')) : Promise.resolve(),
  });
  await expect(failing.lane().run()).rejects.toThrow('no database');
});

it('fails when nothing can be claimed', async () => {
  const endpoint = new FakeEndpoint(3);
  endpoint.claimFails = true;
  await expect(endpoint.lane().run()).rejects.toThrow('away');
});

it('claims one at a time from an endpoint that does badly', async () => {
  const endpoint = new FakeEndpoint(5);
  for (let i = 0; i < 3; i++) endpoint.health.failed(new Date());
  await endpoint.lane().run();
  expect(endpoint.sent).toEqual([0, 1, 2, 3, 4]);
  expect([endpoint.mostAtOnce, new Set(endpoint.claims)]).toEqual([1, new Set([1])]);
});

it('finds by itself what becomes due while answers are slow in coming', async () => {
  const endpoint = new FakeEndpoint(1);
  endpoint.outcome = null;
  const done = endpoint.lane().run();
  await settled();
  await settled();
  expect(endpoint.sent).toEqual([0]);
  endpoint.add(2);
  await vi.waitFor(() => expect(endpoint.sent).toEqual([0, 1, 2]), 3000);
  endpoint.outcome = () => ({ goOn: true, written: Promise.resolve() });
  endpoint.answer();
  await done;
});

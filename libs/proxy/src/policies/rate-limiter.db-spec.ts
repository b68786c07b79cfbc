import { Clock, newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { type RateLimit } from './policy.js';
import { RateLimiter } from './rate-limiter.js';
import { type RateAnswer } from './rate-window.js';
import { RateWindowRepository } from './rate-window.repository.js';

class SetClock extends Clock {
  constructor(public ms: number) {
    super();
  }
  now(): Date {
    return new Date(this.ms);
  }
}

let dataSource: DataSource;
let transactions: Transactions;
let clock: SetClock;
let limiter: RateLimiter;
let tenantId: string;
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 12)).initialize();
  transactions = new Transactions(dataSource);
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  clock = new SetClock(Date.UTC(2026, 0, 1));
  limiter = new RateLimiter(new RateWindowRepository(transactions), transactions, clock);
  tenantId = newId('ten');
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
});

const limit = async (maxPerMinute: number): Promise<RateLimit> => {
  const policyId = newId('pol');
  await dataSource.query(
    `INSERT INTO proxy_policy (tenant_id, id, type, params, created_at) VALUES ($1, $2, 'rate_limit', '{}', now())`,
    [tenantId, policyId],
  );
  return { policyId, maxPerMinute };
};
/** How many of `count` requests at once are granted. */
const granted = async (count: number, limits: RateLimit[], agentId = 'a', by = [limiter]): Promise<number> => {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      (by[i % by.length] as RateLimiter).take({ tenantId, agentId, limits, logOnly: [] }),
    ),
  );
  return answers.filter(({ full }) => full.size === 0).length;
};
const windows = async (): Promise<number> =>
  Number(
    (
      await dataSource.query<{ n: string }[]>('SELECT count(*) AS n FROM proxy_rate WHERE tenant_id = $1', [tenantId])
    )[0]?.n,
  );

describe('the rate limiter', () => {
  it('lets exactly so many through in any minute, which slides by the millisecond', async () => {
    const five = await limit(5);
    expect(await granted(3, [five])).toBe(3);
    clock.ms += 30_000;
    expect(await granted(4, [five])).toBe(2);
    clock.ms += 29_999;
    expect(await granted(1, [five])).toBe(0);
    clock.ms += 1;
    expect(await granted(9, [five])).toBe(3);
    clock.ms += 30_000;
    expect(await granted(9, [five])).toBe(2);
  });

  it('is never over a large limit in any minute, and within a tenth of a second of full use', async () => {
    const many = await limit(1000);
    const times: number[] = [];
    for (let step = 0; step < 80; step++) {
      clock.ms += 1_637;
      times.push(...Array<number>(await granted(40, [many])).fill(clock.ms));
    }
    for (const end of times)
      expect(times.filter((time) => time > end - 60_000 && time <= end).length).toBeLessThanOrEqual(1000);
    clock.ms += 60_100;
    expect(await granted(1100, [many])).toBe(1000);
  });

  it('is exact over several processes', async () => {
    const others = [
      limiter,
      new RateLimiter(new RateWindowRepository(transactions), transactions, clock),
      new RateLimiter(new RateWindowRepository(transactions), transactions, clock),
    ];
    expect(await granted(100, [await limit(17)], 'a', others)).toBe(17);
    // Also where a window is there already, and each process has but a few requests at a time.
    const processes = Array.from(
      { length: 10 },
      () => new RateLimiter(new RateWindowRepository(transactions), transactions, clock),
    );
    for (let round = 0; round < 5; round++) {
      const seven = await limit(7);
      expect(await granted(1, [seven])).toBe(1);
      expect(await granted(20, [seven], 'a', processes)).toBe(6);
    }
    // Limits named in different orders do not lock each other out.
    const [one, two] = [await limit(30), await limit(20)];
    const counts = await Promise.all(
      others.map((each, i) => granted(30, i % 2 ? [one, two] : [two, one], 'a', [each])),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(20);
  });

  it('names the limit that is reached, and counts the call in none then', async () => {
    const [small, large] = [await limit(1), await limit(2)];
    const request = { tenantId, agentId: 'a', limits: [large, small], logOnly: [] };
    expect((await limiter.take(request)).full.size).toBe(0);
    clock.ms += 10;
    const free = new Date(clock.ms - 10 + 60_000);
    expect(await limiter.take(request)).toMatchObject({
      full: new Map([[small.policyId, free]]),
      at: new Date(clock.ms),
    });
    expect(await granted(5, [large])).toBe(1);
  });

  it('answers without counting when it is only looked at', async () => {
    const [one, none] = [await limit(1), await limit(0)];
    const request = { tenantId, agentId: 'a', limits: [one, none], logOnly: [] };
    expect([...(await limiter.look(request)).full]).toEqual([[none.policyId, null]]);
    expect(await granted(3, [one])).toBe(1);
    expect([...(await limiter.look(request)).full.keys()]).toEqual([one.policyId, none.policyId]);
  });

  it('counts a log_only limit as it would hold, each by itself, and stops nothing for it', async () => {
    const [three, two, five] = [await limit(3), await limit(2), await limit(5)];
    const request = { tenantId, agentId: 'a', limits: [five], logOnly: [three, two] };
    const answers: RateAnswer[] = [];
    for (let i = 0; i < 7; i++) answers.push(await limiter.take(request));
    expect(answers.map(({ full }) => full.size)).toEqual([0, 0, 0, 0, 0, 1, 1]);
    const wouldStop = ({ policyId }: RateLimit): boolean[] => answers.map(({ logOnly }) => logOnly.has(policyId));
    expect(wouldStop(three)).toEqual([false, false, false, true, true, true, true]);
    expect(wouldStop(two)).toEqual([false, false, true, true, true, true, true]);
    // What it counted holds when it is enforced.
    expect(await granted(1, [three])).toBe(0);
    clock.ms += 60_000;
    expect(await granted(5, [three])).toBe(3);
  });

  it('counts each agent by itself', async () => {
    const two = await limit(2);
    expect([await granted(5, [two], 'a'), await granted(5, [two], 'a b'), await granted(5, [two], '')]).toEqual([
      2, 2, 2,
    ]);
  });

  it('asks nothing of the database without limits', async () => {
    expect(await granted(3, [])).toBe(3);
    expect(await windows()).toBe(0);
  });

  it('limits nothing by a policy that was removed meanwhile', async () => {
    const gone = await limit(1);
    await granted(1, [gone]);
    await dataSource.query('DELETE FROM proxy_policy WHERE id = $1', [gone.policyId]);
    expect(await windows()).toBe(0);
    expect(await granted(5, [gone])).toBe(5);
  });

  it('forgets agents that went quiet, and no window that still counts', async () => {
    const one = await limit(1);
    await granted(1, [one], 'quiet');
    clock.ms += 9 * 60_000;
    await granted(1, [one], 'busy');
    clock.ms += 61_000;
    await limiter.forgetIdle();
    expect(await windows()).toBe(1);
    expect(await granted(5, [one], 'quiet')).toBe(1);
  });
});

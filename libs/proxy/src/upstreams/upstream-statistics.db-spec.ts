import { newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { createLogger } from '@haldir/runtime';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { UpstreamStatistics } from './upstream-statistics.js';
import { UpstreamTrafficRepository } from './upstream-traffic.repository.js';

let dataSource: DataSource;
let transactions: Transactions;
let tenantId: string;
const opened: UpstreamStatistics[] = [];
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 8)).initialize();
  transactions = new Transactions(dataSource);
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  tenantId = newId('ten');
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
  for (const name of ['a', 'b']) {
    await dataSource.query(
      `INSERT INTO proxy_upstream (tenant_id, name, url, revision, healthy, created_at, next_check_at)
         VALUES ($1, $2, 'http://127.0.0.1/', 'upr_1', true, now(), 'infinity')`,
      [tenantId, name],
    );
  }
});
afterEach(async () => {
  for (const traffic of opened.splice(0)) await traffic.onApplicationShutdown();
});

const open = (through = transactions): UpstreamStatistics => {
  const traffic = new UpstreamStatistics(new UpstreamTrafficRepository(through), createLogger('silent'));
  opened.push(traffic);
  return traffic;
};
const sums = (): Promise<unknown[]> =>
  dataSource.query(
    'SELECT upstream, calls::integer, errors::integer, tool_errors::integer, latency_ms FROM proxy_traffic WHERE tenant_id = $1 ORDER BY upstream',
    [tenantId],
  );

describe('the sums over calls', () => {
  it('of several processes add up', async () => {
    const processes = [open(), open(), open()];
    await Promise.all(
      processes.map(async (traffic) => {
        for (let round = 0; round < 20; round++) {
          traffic.count(tenantId, 'b', 2, 'tool_error');
          traffic.count(tenantId, 'a', 1.5, round % 2 === 0 ? 'failed' : 'answered');
          await traffic.flush();
        }
      }),
    );
    expect(await sums()).toEqual([
      { upstream: 'a', calls: 60, errors: 30, tool_errors: 0, latency_ms: 90 },
      { upstream: 'b', calls: 60, errors: 0, tool_errors: 60, latency_ms: 120 },
    ]);
  });

  it('leave out an upstream that is gone, and keep the others', async () => {
    const traffic = open();
    traffic.count(tenantId, 'gone', 1, 'answered');
    traffic.count(tenantId, 'a', 1, 'answered');
    await traffic.flush();
    expect(await sums()).toMatchObject([{ upstream: 'a', calls: 1 }]);
    await dataSource.query(`DELETE FROM proxy_upstream WHERE tenant_id = $1`, [tenantId]);
    expect(await sums()).toEqual([]);
  });

  it('are not lost while the database is away', async () => {
    let away = true;
    const flaky = Object.assign(Object.create(transactions) as Transactions, {
      query: (...args: Parameters<Transactions['query']>) =>
        away ? Promise.reject(new Error('away')) : transactions.query(...args),
    });
    const traffic = open(flaky);
    traffic.count(tenantId, 'a', 3, 'failed');
    await traffic.flush();
    traffic.count(tenantId, 'a', 3, 'answered');
    away = false;
    await traffic.flush();
    expect(await sums()).toEqual([{ upstream: 'a', calls: 2, errors: 1, tool_errors: 0, latency_ms: 6 }]);
  });
});

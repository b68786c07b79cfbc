import { setTimeout as pause } from 'node:timers/promises';
import { eventually, startTestPostgres, startTestRedis, startWorker, testEnvironment } from '@haldir/test-support';

it('a worker whose database is away says so in a line, and goes on when it is back', async () => {
  // Queues that live in the database rest with it.
  const [postgres, redis] = await Promise.all([startTestPostgres({ durable: false }), startTestRedis()]);
  const environment = await testEnvironment({ DATABASE_OWNER_URL: postgres.url, REDIS_URL: redis?.url ?? '' });
  const worker = await startWorker(environment);
  const lines = (): string[] =>
    worker
      .output()
      .split('\n')
      .filter((line) => line.includes('"event":"job.'));
  postgres.kill();
  if (redis) await eventually(() => expect(lines()).toMatchObject([expect.stringContaining('job.database_away')]));
  await pause(4_000);
  await postgres.restart();
  const ready = async (): Promise<number> => (await fetch(`${worker.url}/readyz`)).status;
  await eventually(async () => expect(await ready()).toBe(200));
  expect(lines()).toHaveLength(redis ? 1 : 0);
  await worker.stop();
  await Promise.all([postgres.stop(), redis?.stop()]);
});

import { Client } from 'pg';
import { freshDatabaseUrl, startTestRedis, testDatabase } from './index.js';

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('test databases', () => {
  it('come migrated', async () => {
    expect(await ask(await testDatabase(), 'SELECT FROM migration')).not.toHaveLength(0);
  });

  it('are one for a worker', async () => {
    expect(await testDatabase()).toBe(await testDatabase());
  });

  it('do not see what is written in each other, even when made at once', async () => {
    const [one, other] = await Promise.all([freshDatabaseUrl(), freshDatabaseUrl()]);

    await ask(one, 'CREATE TABLE mark ()');

    expect(await ask(other, `SELECT to_regclass('mark') AS mark`)).toEqual([{ mark: null }]);
  });
});

describe('a test Redis', () => {
  it('comes back after a crash on the same address', async ({ skip }) => {
    const redis = await startTestRedis();
    if (redis === null) return skip('this machine has no redis-server');
    const { Redis } = await import('ioredis');
    try {
      await redis.kill();
      await redis.restart();
      const client = new Redis(redis.url);
      expect(await client.ping()).toBe('PONG');
      client.disconnect();
    } finally {
      await redis.stop();
    }
  });
});

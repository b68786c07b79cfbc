import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedis, type Redis as RunningRedis, startRedis } from '../../scripts/embedded/redis.mjs';

/** A real Redis of one test, that can die and come back with what it had. */
export interface TestRedis {
  readonly url: string;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the data on its disk. */
  restart(): Promise<void>;
  /** Has it forget everything while it runs. */
  flush(): Promise<void>;
  /** Ends it and forgets its data. */
  stop(): Promise<void>;
}

/** Null when this machine has no redis-server of version 7 or newer. */
export async function startTestRedis(): Promise<TestRedis | null> {
  const program = await findRedis();
  if (program === null) return null;
  const dir = mkdtempSync(join(tmpdir(), 'haldir-redis-'));
  const password = 'test';
  let running: RunningRedis = await startRedis({ program, dir, password });
  const { port, url } = running;
  const killAtExit = () => {
    try {
      process.kill(running.pid, 'SIGKILL');
    } catch {
      // It ended before.
    }
  };
  process.once('exit', killAtExit);
  return {
    url,
    kill: async () => {
      killAtExit();
      await running.stop();
    },
    restart: async () => {
      running = await startRedis({ program, dir, password, port });
    },
    flush: async () => {
      const client = new Redis(url);
      await client.flushall();
      client.disconnect();
    },
    stop: async () => {
      await running.stop();
      process.off('exit', killAtExit);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const shared = globalThis as { haldirTestRedisDatabases?: number };

/**
 * A Redis database of its own for one test, on the server of this run; null when the run is about queues on Postgres.
 * Numbers are taken from this worker's share of the server's 1024 databases.
 */
export function testRedisUrl(): string | null {
  const server = process.env.HALDIR_TEST_REDIS_URL;
  if (server === undefined || server === '') return null;
  const next = shared.haldirTestRedisDatabases ?? 0;
  shared.haldirTestRedisDatabases = next + 1;
  const worker = Number(process.env.VITEST_POOL_ID ?? 1) % 4;
  return `${server}/${worker * 256 + (next % 256)}`;
}

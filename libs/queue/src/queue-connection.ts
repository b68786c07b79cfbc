import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createPostgresBackend, Queue, type QueueOptions, setDefaultBackendFactory } from 'bullmq';
import { Redis } from 'ioredis';
import { Client, Pool } from 'pg';
import { openSchemaStatements, ping, tolerateLostConnections } from '@haldir/database';
import { HaldirConfig, Log } from '@haldir/runtime';
import { OutageLog } from './outage-log.js';

const SCHEMA = 'bullmq';

/**
 * Where queues live: in Redis with `REDIS_URL`, else in Postgres by BullMQ's own backend. The one place that knows;
 * BullMQ's backend is chosen for the whole process.
 */
@Injectable()
export class QueueConnection implements OnApplicationShutdown {
  readonly options: Pick<QueueOptions, 'connection' | 'prefix'>;
  private readonly pool: Pool | null = null;
  /** Commands beside the queues: shared counters. Fails at once while Redis is away. */
  readonly redis: Redis | null = null;

  constructor(config: HaldirConfig, log: Log) {
    if (config.redisUrl === null) {
      setDefaultBackendFactory(createPostgresBackend);
      this.pool = new Pool({
        connectionString: config.database.url,
        max: 20,
        application_name: 'haldir-queue',
        // The backend makes sequences as it goes, for API and worker alike: they belong to the role both are members of.
        options: `-c search_path=${SCHEMA} -c role=haldir_app`,
        idleTimeoutMillis: 30_000,
        connectionTimeoutMillis: 10_000,
      });
      tolerateLostConnections(this.pool);
      // Every queue and worker listens on it.
      this.pool.setMaxListeners(0);
      const outages = new OutageLog(log, 'queue.connection_lost');
      this.pool.on('error', (error) => outages.report(error));
      this.options = { connection: this.pool, prefix: 'haldir' };
    } else {
      setDefaultBackendFactory(undefined);
      this.redis = new Redis(config.redisUrl, {
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        commandTimeout: 250,
        retryStrategy: (times) => Math.min(1000, times * 50),
      });
      const outages = new OutageLog(log, 'redis.error');
      this.redis.on('error', (error) => outages.report(error));
      this.options = {
        connection: { url: config.redisUrl, retryStrategy: (times: number) => Math.min(1000, times * 50) },
        prefix: 'haldir',
      };
    }
  }

  /** @throws when the queue's store does not answer */
  async ping(): Promise<void> {
    if (this.redis) await this.redis.ping();
    else if (this.pool) await ping(this.pool);
  }

  async onApplicationShutdown(): Promise<void> {
    this.redis?.disconnect();
    await this.pool?.end();
  }
}

/** Prepares the queues' own schema in Postgres, as its owner; harmless when it is there. */
export async function migrateQueues(ownerUrl: string): Promise<void> {
  setDefaultBackendFactory(createPostgresBackend);
  const queue = new Queue('migrate', {
    connection: { connectionString: ownerUrl, schema: SCHEMA, migrate: true, max: 2 },
  });
  await queue.waitUntilReady();
  await queue.close();
  const owner = new Client({ connectionString: ownerUrl });
  await owner.connect();
  try {
    await owner.query(openSchemaStatements(SCHEMA));
  } finally {
    await owner.end();
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@haldir/database';
import { migrateQueues } from '@haldir/queue';
import { type Postgres, startPostgres } from '../../scripts/embedded/postgres.mjs';
import { openScratch } from '../../scripts/embedded/scratch.mjs';
import { roleUrl } from './database.js';

/** A real PostgreSQL of one test, migrated, that can die and come back with what it had. */
export interface TestPostgres {
  /** Its database, as the owner of the schema and of the server. */
  readonly url: string;
  /** Where its data (`postgres/`) and its log (`logs/postgres.log`) are. */
  readonly dir: string;
  /** Ends it at once, as a crash would. */
  kill(): void;
  /** Starts it again on the same port, and waits until it has recovered. */
  restart(): Promise<void>;
  /** Ends it and forgets its data. */
  stop(): Promise<void>;
}

/** @param options.durable false where nobody kills it: faster */
export async function startTestPostgres(options: { durable: boolean }): Promise<TestPostgres> {
  const scratch = await openScratch();
  const { dir } = scratch;
  const start = (port?: number): Promise<Postgres> =>
    startPostgres({
      dir,
      password: 'test',
      durable: options.durable,
      superuser: true,
      ...(port === undefined ? {} : { port }),
    });
  const { url, port } = await start();
  const kill = (): void => {
    const [pid] = readFileSync(join(dir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGKILL');
  };
  const atExit = (): void => {
    try {
      kill();
    } catch {
      // It ended before.
    }
  };
  process.once('exit', atExit);
  await migrateAll(url);
  return {
    url,
    dir,
    kill,
    restart: async () => {
      const restarted = await start(port);
      if (restarted.port !== port) throw new Error(`port ${port} was taken meanwhile`);
    },
    stop: async () => {
      process.off('exit', atExit);
      await scratch.remove();
    },
  };
}

/** Brings a database to the present schema, with the roles of the tests and the queues' own tables. */
export async function migrateAll(url: string): Promise<void> {
  await migrate(url, [
    { url: roleUrl(url, 'api'), seesAll: false },
    { url: roleUrl(url, 'worker'), seesAll: true },
  ]);
  await migrateQueues(url);
}

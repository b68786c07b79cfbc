import pg from 'pg';
import { type DataSourceOptions } from 'typeorm';
import { parseJson } from '@haldir/kernel';
import { migrations } from './migrations/index.js';

/** What is kept as `json` is kept as it came, with its numbers. */
function getTypeParser(...[oid, format]: Parameters<typeof pg.types.getTypeParser>): unknown {
  return oid === pg.types.builtins.JSON ? parseJson : (pg.types.getTypeParser(oid, format) as unknown);
}

/**
 * Connections come with `synchronous_commit` on, a bound on how long a statement or a lock may take, and pipelining, so
 * that statements sent together travel together.
 */
export function dataSourceOptions(url: string, poolSize: number): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize,
    migrations,
    migrationsTableName: 'migration',
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    applicationName: 'haldir',
    connectTimeoutMS: 5000,
    extra: {
      types: { getTypeParser },
      pipeline: true,
      statement_timeout: 30_000,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  };
}

import { type DataSourceOptions } from 'typeorm';
import { migrations } from './migrations/index.js';

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
      pipeline: true,
      statement_timeout: 30_000,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  };
}

import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source-options.js';
import { migrations } from './migrations/index.js';
import { admitRoles, type AppRole } from './roles.js';

const MIGRATION_LOCK = 7_247_411_002;

/**
 * Brings the schema up to date and answers the names of the migrations it ran. Safe to run from several processes at
 * once: one works, the others wait and then find nothing to do.
 *
 * @param ownerUrl the role that owns the schema
 * @param roles that the apps log in as; they are made or brought up to date, too
 */
export async function migrate(ownerUrl: string, roles: readonly AppRole[] = []): Promise<string[]> {
  const dataSource = await new DataSource({
    ...dataSourceOptions(ownerUrl, 2),
    extra: { statement_timeout: 0 },
  }).initialize();
  const guard = dataSource.createQueryRunner();
  try {
    await guard.connect();
    await guard.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const ran = await dataSource.runMigrations({ transaction: 'each' });
    await admitRoles(guard, ownerUrl, roles);
    return ran.map(({ name }) => name);
  } finally {
    await guard.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await guard.release();
    await dataSource.destroy();
  }
}

/** Names of the migrations this version knows and the database lacks; all of them when it was never migrated. */
export async function pendingMigrations(dataSource: DataSource): Promise<string[]> {
  const known = migrations.map((migration) => migration.name);
  const [table] = await dataSource.query<{ exists: boolean }[]>(
    `SELECT to_regclass('migration') IS NOT NULL AS exists`,
  );
  if (!table?.exists) return known;
  const rows = await dataSource.query<{ name: string }[]>('SELECT name FROM migration');
  const done = new Set(rows.map(({ name }) => name));
  return known.filter((name) => !done.has(name));
}

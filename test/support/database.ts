import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

export const TEMPLATE = 'haldir_template';

const shared = globalThis as { haldirTestDatabase?: Promise<string> };

/** The URL, as its owner, of this test worker's own migrated database, the same for every file it runs: rows of other files may be in it. */
export function testDatabase(): Promise<string> {
  shared.haldirTestDatabase ??= freshDatabaseUrl();
  return shared.haldirTestDatabase;
}

/** The same database as one of the roles that the apps log in as. */
export function roleUrl(ownerUrl: string, app: 'api' | 'worker'): string {
  const url = new URL(ownerUrl);
  url.username = `haldir_test_${app}`;
  url.password = 'test';
  return url.href;
}

/** The URL of a new migrated database that nobody else knows, as its owner; dropped when the run ends. */
export async function freshDatabaseUrl(): Promise<string> {
  const url = new URL(inject('postgresUrl'));
  const name = `haldir_test_${randomBytes(8).toString('hex')}`;
  const admin = new Client({ connectionString: url.href });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  } finally {
    await admin.end();
  }
  url.pathname = `/${name}`;
  return url.href;
}

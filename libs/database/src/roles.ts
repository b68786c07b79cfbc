import { type QueryRunner } from 'typeorm';

/** A role that an app logs in as. */
export interface AppRole {
  /** With the role's name and password. */
  url: string;
  /** Whether it may ask for the rows of all tenants at once: the worker does. */
  seesAll: boolean;
}

/**
 * Makes the roles of the apps, or gives them the passwords they have now, and lets them in. A role that is the owner's own is
 * left alone: whoever runs everything as one role does without the walls.
 */
export async function admitRoles(db: QueryRunner, ownerUrl: string, roles: readonly AppRole[]): Promise<void> {
  const owner = decodeURIComponent(new URL(ownerUrl).username);
  for (const { url, seesAll } of roles) {
    const { username, password } = new URL(url);
    const name = decodeURIComponent(username);
    if (name === owner || name === '') continue;
    const [found] = (await db.query('SELECT FROM pg_roles WHERE rolname = $1', [name])) as unknown[];
    await runFormatted(
      db,
      `${found ? 'ALTER' : 'CREATE'} ROLE %I LOGIN PASSWORD %L`,
      name,
      decodeURIComponent(password),
    );
    await runFormatted(db, 'GRANT haldir_app TO %I', name);
    await runFormatted(db, seesAll ? 'GRANT haldir_system TO %I' : 'REVOKE haldir_system FROM %I', name);
  }
}

/** Lets members of haldir_app use what is in `schema`, and make more: the queues' own. */
export function openSchemaStatements(schema: string): string {
  return `
    GRANT USAGE, CREATE ON SCHEMA ${schema} TO haldir_app;
    GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO haldir_app;
    GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO haldir_app;
  `;
}

/** Statements about roles take no parameters; `format` quotes names (%I) and texts (%L). */
async function runFormatted(db: QueryRunner, template: string, ...values: string[]): Promise<void> {
  const [row] = (await db.query(
    `SELECT format($1, ${values.map((_, i) => `$${i + 2}::text`).join(', ')}) AS statement`,
    [template, ...values],
  )) as { statement: string }[];
  if (row) await db.query(row.statement);
}

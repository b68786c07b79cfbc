import { freshDatabaseUrl } from '@haldir/test-support';
import { Client } from 'pg';
import { newestByNames } from './secret.repository.js';

it('reads a secret by two steps in indexes, in a database that has no statistics yet', async () => {
  const db = new Client({ connectionString: await freshDatabaseUrl() });
  await db.connect();
  try {
    await db.query(`PREPARE newest (text[], text[]) AS ${newestByNames.text}`);
    await db.query('SET plan_cache_mode = force_generic_plan');
    const { rows } = await db.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE newest('{t}', '{n}')`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).not.toMatch(/Seq Scan|Bitmap|Join Filter/);
    expect(plan).toMatch(/Index Cond: \(\(tenant_id = w\.tenant_id\) AND \(name = w\.name\)\)/);
    expect(plan).toMatch(
      /Index Cond: \(\(tenant_id = w\.tenant_id\) AND \(secret_id = [\w.]+\) AND \(version = [\w.]+\)\)/,
    );
  } finally {
    await db.end();
  }
});

import { type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLES = ['upstream_name'];

/** What is remembered of upstreams beyond their registrations. */
export class UpstreamMemory1790000000013 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Names that upstreams of a tenant have or had: a tool of another upstream is not meant by one of them and a dot.
      CREATE TABLE upstream_name (
        tenant_id text NOT NULL,
        name      text NOT NULL,
        PRIMARY KEY (tenant_id, name)
      );
      INSERT INTO upstream_name (tenant_id, name) SELECT tenant_id, name FROM proxy_upstream;
      GRANT SELECT, INSERT ON upstream_name TO haldir_app;
    `);
    for (const table of TABLES) {
      await db.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant_wall ON ${table} TO haldir_app
          USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
      `);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE ${TABLES.join(', ')}`);
  }
}

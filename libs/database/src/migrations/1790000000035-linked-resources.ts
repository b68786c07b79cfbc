import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Resources that tools and prompts have named to sessions: those may read them, listed or not. */
export class LinkedResources1790000000035 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE linked_resource (
        tenant_id    text        NOT NULL,
        session_id   text        NOT NULL,
        upstream     text COLLATE "C" NOT NULL,
        -- SHA-256 of the address.
        address_hash bytea       NOT NULL,
        -- With its session.
        expires_at   timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, session_id, address_hash, upstream),
        CONSTRAINT linked_resource_upstream FOREIGN KEY (tenant_id, upstream) REFERENCES proxy_upstream ON DELETE CASCADE
      );
      CREATE INDEX linked_resource_expired ON linked_resource (expires_at);
      CREATE INDEX linked_resource_upstream ON linked_resource (tenant_id, upstream);
      GRANT SELECT, INSERT, DELETE ON linked_resource TO haldir_app;
      ALTER TABLE linked_resource ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON linked_resource TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE linked_resource');
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLES = ['upstream_told_head', 'upstream_told'];

/** What upstreams were told and may say again. */
export class UpstreamTold1790000000023 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- How much an upstream of that name was told. Stays when the upstream is removed, so that no version comes twice.
      CREATE TABLE upstream_told_head (
        tenant_id text        NOT NULL,
        upstream  text COLLATE "C" NOT NULL,
        -- Counts up with every change of what it was told.
        version   integer     NOT NULL DEFAULT 0,
        told      integer     NOT NULL DEFAULT 0,
        bytes     integer     NOT NULL DEFAULT 0,
        -- Whether the secrets that were bound to it before this was kept are among what it was told.
        bound     boolean     NOT NULL DEFAULT false,
        PRIMARY KEY (tenant_id, upstream),
        CONSTRAINT upstream_told_bounded CHECK (told BETWEEN 0 AND 256 AND bytes BETWEEN 0 AND 1048576)
      ) WITH (fillfactor = 70);

      -- Each value that was sent to the upstream, or may be because it is bound to it, sealed under the tenant's key.
      CREATE TABLE upstream_told (
        tenant_id  text        NOT NULL,
        upstream   text COLLATE "C" NOT NULL,
        -- Keyed, of the value: each is there once.
        digest     text COLLATE "C" NOT NULL,
        sealed     bytea       NOT NULL,
        -- Of the value.
        bytes      integer     NOT NULL,
        -- When it ends to open anything; null for what does not.
        expires_at timestamptz,
        PRIMARY KEY (tenant_id, upstream, digest)
      );
      GRANT SELECT, INSERT, UPDATE ON upstream_told_head TO haldir_app;
      GRANT SELECT, INSERT, DELETE ON upstream_told TO haldir_app;
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

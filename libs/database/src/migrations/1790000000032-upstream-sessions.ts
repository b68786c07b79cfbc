import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Sessions with upstreams, for all processes. */
export class UpstreamSessions1790000000032 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- A session that an upstream has begun: of a session of Haldir, or ('') of nobody in particular.
      CREATE TABLE upstream_session (
        tenant_id     text        NOT NULL,
        session_id    text COLLATE "C" NOT NULL,
        upstream      text COLLATE "C" NOT NULL,
        -- Of the registration.
        revision      text COLLATE "C" NOT NULL,
        -- New with every session that is begun here.
        epoch         text        NOT NULL,
        -- Its id with the upstream, sealed under the tenant's key; null for one that was lost and has no successor yet.
        sealed        bytea,
        used_at       timestamptz NOT NULL,
        -- Until then somebody is at ending it.
        claimed_until timestamptz NOT NULL DEFAULT '-infinity',
        tries         integer     NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, session_id, upstream, revision)
      ) WITH (fillfactor = 70);
      GRANT SELECT, INSERT, UPDATE, DELETE ON upstream_session TO haldir_app;
      ALTER TABLE upstream_session ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON upstream_session TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));

      -- Whose sessions the upstream begins; null while nobody has found out.
      ALTER TABLE proxy_upstream
        ADD COLUMN sessions text,
        ADD CONSTRAINT proxy_upstream_sessions CHECK (sessions IN ('none', 'own', 'shared'));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE proxy_upstream DROP COLUMN sessions; DROP TABLE upstream_session');
  }
}

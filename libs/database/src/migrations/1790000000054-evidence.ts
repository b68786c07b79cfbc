import { type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLES = ['evidence', 'evidence_chunk'];

/** Packages of evidence for auditors: made by the worker, kept for days, read by whoever downloads them. */
export class Evidence1790000000054 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE evidence (
        tenant_id     text        NOT NULL REFERENCES tenant,
        -- Time-ordered: also the list, newest first.
        id            text COLLATE "C" NOT NULL,
        period_from   timestamptz NOT NULL,
        period_to     timestamptz NOT NULL,
        state         text        NOT NULL,
        -- Entries of the log that are written, of how many; null until it is begun.
        entries_done  bigint      NOT NULL DEFAULT 0,
        entries_total bigint,
        -- Whoever makes it holds it until then, by this number: another who takes it up has another.
        attempt       integer     NOT NULL DEFAULT 0,
        lease_until   timestamptz,
        size          bigint,
        sha256        bytea,
        -- Entries of the log when it was begun: what is erased by a later one ends it.
        log_size      bigint,
        reason        text,
        made_by       text        NOT NULL,
        made_by_label text        NOT NULL,
        created_at    timestamptz NOT NULL,
        finished_at   timestamptz,
        expires_at    timestamptz,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT evidence_period CHECK (period_from < period_to),
        CONSTRAINT evidence_state  CHECK (state IN ('queued', 'running', 'done', 'failed')),
        CONSTRAINT evidence_lease  CHECK ((state = 'running') = (lease_until IS NOT NULL)),
        CONSTRAINT evidence_done   CHECK ((state = 'done') = (sha256 IS NOT NULL) AND (state = 'done') = (size IS NOT NULL)),
        CONSTRAINT evidence_failed CHECK ((state = 'failed') = (reason IS NOT NULL)),
        CONSTRAINT evidence_ended  CHECK ((state IN ('done', 'failed')) = (expires_at IS NOT NULL))
      );
      -- One of a period is made at a time.
      CREATE UNIQUE INDEX evidence_under_way ON evidence (tenant_id, period_from, period_to) WHERE state IN ('queued', 'running');
      -- What waits to be made, of all tenants, and what is over.
      CREATE INDEX evidence_waiting ON evidence (created_at) WHERE state IN ('queued', 'running');
      CREATE INDEX evidence_expires ON evidence (expires_at) WHERE expires_at IS NOT NULL;

      -- A package's bytes, 1 MiB in each row but the last.
      CREATE TABLE evidence_chunk (
        tenant_id   text    NOT NULL,
        evidence_id text COLLATE "C" NOT NULL,
        position    integer NOT NULL,
        bytes       bytea   NOT NULL,
        PRIMARY KEY (tenant_id, evidence_id, position),
        CONSTRAINT evidence_chunk_of FOREIGN KEY (tenant_id, evidence_id) REFERENCES evidence ON DELETE CASCADE
      );
      -- They are packed already.
      ALTER TABLE evidence_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
    `);
    for (const table of TABLES) {
      await db.query(`
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO haldir_app;
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant_wall ON ${table} TO haldir_app
          USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
      `);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE evidence_chunk, evidence;');
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Approvals of more than one call: of calls alike, so many times, until then. */
export class ApprovalGrants1790000000055 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE approval_grant (
        tenant_id           text        NOT NULL,
        id                  text COLLATE "C" NOT NULL,
        -- By whose approval it was given.
        request_id          text        NOT NULL,
        agent_id            text        NOT NULL,
        tool                text        NOT NULL,
        -- SHA-256 of all that the digest of a call has, but session, arguments and amount.
        basis               bytea       NOT NULL,
        -- JSON: a list of names of arguments, each with the SHA-256 (hex) of what it has to be, or null.
        alike               text        NOT NULL,
        -- What may hold such a call back; a call that something else holds back, too, is not let through.
        rule_ids            text[]      NOT NULL,
        uses                integer     NOT NULL,
        used                integer     NOT NULL,
        total_micros        bigint,
        spent_micros        bigint      NOT NULL,
        granted_by          text        NOT NULL,
        granted_key         text        NOT NULL,
        created_at          timestamptz NOT NULL,
        expires_at          timestamptz NOT NULL,
        revoked_at          timestamptz,
        revoked_key         text,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT approval_grant_basis CHECK (length(basis) = 32),
        CONSTRAINT approval_grant_used  CHECK (used BETWEEN 0 AND uses),
        CONSTRAINT approval_grant_spent CHECK (spent_micros >= 0 AND (total_micros IS NULL OR spent_micros <= total_micros))
      );
      -- Looked through by each call that waits for a human.
      CREATE INDEX approval_grant_live ON approval_grant (tenant_id, agent_id, basis) WHERE revoked_at IS NULL;
      GRANT SELECT, INSERT, UPDATE, DELETE ON approval_grant TO haldir_app;
      ALTER TABLE approval_grant ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON approval_grant TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));

      ALTER TABLE approval_request
        -- JSON of what a grant of calls like this one would be held against; null where there can be none.
        ADD COLUMN grantable text,
        -- The grant by which it was approved: its call is let through as one of those.
        ADD COLUMN grant_id text;

      ALTER TABLE approval_settings
        -- Whether calls of destructive tools may be approved by grants.
        ADD COLUMN destructive_grants boolean NOT NULL DEFAULT false;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE approval_settings DROP COLUMN destructive_grants;
      ALTER TABLE approval_request DROP COLUMN grantable, DROP COLUMN grant_id;
      DROP TABLE approval_grant;
    `);
  }
}

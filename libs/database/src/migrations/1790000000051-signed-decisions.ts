import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What people sign of decisions, and for which of them a tenant wants that. */
export class SignedDecisions1790000000051 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- What whoever is about to decide was given to sign; the newest of a request, person and decision.
      CREATE TABLE decision_challenge (
        tenant_id  text        NOT NULL,
        request_id text        NOT NULL,
        person_id  text COLLATE "C" NOT NULL,
        decision   text        NOT NULL,
        nonce      bytea       NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, request_id, person_id, decision),
        CONSTRAINT decision_challenge_decision CHECK (decision IN ('approved', 'denied')),
        CONSTRAINT decision_challenge_nonce    CHECK (length(nonce) = 16)
      );
      -- What is over, of all tenants, goes.
      CREATE INDEX decision_challenge_expires ON decision_challenge (expires_at);
      GRANT SELECT, INSERT, UPDATE, DELETE ON decision_challenge TO haldir_app;
      ALTER TABLE decision_challenge ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON decision_challenge TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));

      ALTER TABLE approval_settings
        -- A signature is needed from this amount on; null for no amount.
        ADD COLUMN signature_from_micros bigint,
        -- And for what these policies and approval rules hold back.
        ADD COLUMN signature_rules text[] NOT NULL DEFAULT '{}',
        ADD CONSTRAINT approval_settings_signature_from CHECK (signature_from_micros >= 0);

      ALTER TABLE approval_request
        -- Whether it had an amount that is no plain number; amount_micros is 0 then.
        ADD COLUMN amount_unclear boolean NOT NULL DEFAULT false,
        -- What else would have held it back, beside rule_id.
        ADD COLUMN other_rule_ids text[] NOT NULL DEFAULT '{}',
        -- Of the decision, as the log has it.
        ADD COLUMN signature jsonb,
        ADD CONSTRAINT approval_request_signature CHECK (signature IS NULL OR status IN ('approved', 'denied'));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE approval_request DROP COLUMN amount_unclear, DROP COLUMN other_rule_ids, DROP COLUMN signature;
      ALTER TABLE approval_settings DROP COLUMN signature_from_micros, DROP COLUMN signature_rules;
      DROP TABLE decision_challenge;
    `);
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** E-mail to people: what they chose, and what is sent. */
export class Notifications1790000000057 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- What a person wants to be told of by e-mail; who has no row has not chosen.
      CREATE TABLE notification_choice (
        tenant_id  text        NOT NULL,
        person_id  text COLLATE "C" NOT NULL,
        kinds      text[]      NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, person_id)
      );
      GRANT SELECT, INSERT, UPDATE, DELETE ON notification_choice TO haldir_app;
      ALTER TABLE notification_choice ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON notification_choice TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));

      -- An event for a person: one e-mail.
      CREATE TABLE mail (
        tenant_id       text        NOT NULL,
        event_id        text COLLATE "C" NOT NULL,
        person_id       text COLLATE "C" NOT NULL,
        kind            text        NOT NULL,
        -- What it says, as JSON.
        notice          text        NOT NULL,
        state           text        NOT NULL,
        attempts        integer     NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        leased_until    timestamptz,
        -- Of the last attempt: a name from a closed set.
        error           text,
        created_at      timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, event_id, person_id),
        CONSTRAINT mail_state CHECK (state IN ('pending', 'sent', 'failed', 'cancelled', 'dropped'))
      );
      -- What is due, of all tenants.
      CREATE INDEX mail_due ON mail (next_attempt_at) WHERE state = 'pending';
      -- How many a person was sent of late.
      CREATE INDEX mail_of_person ON mail (tenant_id, person_id, created_at);
      -- What is old, of all tenants, goes.
      CREATE INDEX mail_created ON mail (created_at);
      GRANT SELECT, INSERT, UPDATE, DELETE ON mail TO haldir_app;
      ALTER TABLE mail ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON mail TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE mail, notification_choice');
  }
}

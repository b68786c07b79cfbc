import { type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLES = ['push_subscription', 'push_message'];

/** Web Push to the browsers of people. */
export class WebPush1790000000063 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Null: what those of the role are told of.
      ALTER TABLE notification_choice ALTER COLUMN kinds DROP NOT NULL, ADD COLUMN push_kinds text[];

      -- A browser of a person, and how its push service is asked to reach it (RFC 8030).
      CREATE TABLE push_subscription (
        tenant_id  text        NOT NULL,
        id         text COLLATE "C" NOT NULL,
        person_id  text COLLATE "C" NOT NULL,
        -- SHA-256 of the endpoint: one that nobody guesses.
        endpoint_hash bytea    NOT NULL,
        -- The host of the endpoint.
        service    text        NOT NULL,
        -- Endpoint and keys, under the tenant's key.
        sealed     bytea       NOT NULL,
        browser    text        NOT NULL,
        created_at timestamptz NOT NULL,
        -- When its push service has taken something for it last.
        told_at    timestamptz,
        PRIMARY KEY (tenant_id, id),
        -- A browser is of whoever asked for it last.
        CONSTRAINT push_subscription_endpoint UNIQUE (tenant_id, endpoint_hash)
      );
      -- Whose they are.
      CREATE INDEX push_subscription_person ON push_subscription (tenant_id, person_id, id);
      GRANT SELECT, INSERT, UPDATE, DELETE ON push_subscription TO haldir_app;

      -- An event for the browsers of a person.
      CREATE TABLE push_message (
        tenant_id       text        NOT NULL,
        event_id        text COLLATE "C" NOT NULL,
        person_id       text COLLATE "C" NOT NULL,
        kind            text        NOT NULL,
        -- What it says, as JSON: a title of Haldir's own, and a path.
        notice          text        NOT NULL,
        state           text        NOT NULL,
        attempts        integer     NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        leased_until    timestamptz,
        error           text,
        created_at      timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, event_id, person_id),
        CONSTRAINT push_message_state CHECK (state IN ('pending', 'sent', 'failed', 'cancelled', 'dropped'))
      );
      -- What is due, of all tenants.
      CREATE INDEX push_message_due ON push_message (next_attempt_at) WHERE state = 'pending';
      -- How many a person was sent of late.
      CREATE INDEX push_message_of_person ON push_message (tenant_id, person_id, created_at);
      -- What is old, of all tenants, goes.
      CREATE INDEX push_message_created ON push_message (created_at);
      GRANT SELECT, INSERT, UPDATE, DELETE ON push_message TO haldir_app;

      -- Whoever is removed has no browsers any more, whatever process removes them.
      CREATE FUNCTION push_subscription_end() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        DELETE FROM push_subscription WHERE tenant_id = NEW.tenant_id AND person_id = NEW.person_id;
        RETURN NULL;
      END $$;
      CREATE TRIGGER membership_removed AFTER UPDATE OF removed_at ON membership
        FOR EACH ROW WHEN (NEW.removed_at IS NOT NULL) EXECUTE FUNCTION push_subscription_end();
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
    await db.query(`
      DROP TRIGGER membership_removed ON membership;
      DROP FUNCTION push_subscription_end();
      DROP TABLE ${TABLES.join(', ')};
      DELETE FROM notification_choice WHERE kinds IS NULL;
      ALTER TABLE notification_choice ALTER COLUMN kinds SET NOT NULL, DROP COLUMN push_kinds;
    `);
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Endpoints, the events they are sent, and what became of each delivery. */
export class Webhooks1790000000004 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE SEQUENCE webhook_id;

      -- Secrets are sealed; the previous one signs along until its time is up. While breaker_until is set, deliveries
      -- wait until then and the first one after it is a probe.
      CREATE TABLE webhook (
        tenant_id              text        NOT NULL REFERENCES tenant,
        id                     bigint      NOT NULL,
        name                   text        NOT NULL,
        url                    text        NOT NULL,
        events                 text[]      NOT NULL,
        secret                 bytea       NOT NULL,
        secret_prev            bytea,
        secret_prev_expires_at timestamptz,
        created_at             timestamptz NOT NULL,
        deleted_at             timestamptz,
        disabled_at            timestamptz,
        disabled_reason        text,
        failing_since          timestamptz,
        breaker_until          timestamptz,
        breaker_seconds        integer     NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT webhook_id_positive CHECK (id > 0),
        CONSTRAINT webhook_some_event CHECK (cardinality(events) > 0)
      ) WITH (fillfactor = 80);

      -- What is sent, byte for byte, to every endpoint and at every attempt.
      CREATE TABLE webhook_event (
        tenant_id  text        NOT NULL,
        id         text        NOT NULL,
        type       text        NOT NULL,
        body       text        NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id)
      );

      -- One event for one endpoint. Claiming one writes leased_until only, which no index holds.
      CREATE TABLE webhook_delivery (
        tenant_id       text        NOT NULL,
        event_id        text        NOT NULL,
        webhook_id      bigint      NOT NULL,
        state           text        NOT NULL DEFAULT 'pending',
        attempts        integer     NOT NULL DEFAULT 0,
        attempts_left   integer     NOT NULL,
        next_attempt_at timestamptz NOT NULL,
        leased_until    timestamptz,
        PRIMARY KEY (tenant_id, event_id, webhook_id),
        CONSTRAINT webhook_delivery_state CHECK (state IN ('pending', 'delivered', 'failed', 'cancelled'))
      ) WITH (fillfactor = 70);
      -- What is due for an endpoint, and which endpoints have anything due; settled deliveries are not in it.
      CREATE INDEX webhook_delivery_pending ON webhook_delivery (tenant_id, webhook_id, next_attempt_at) WHERE state = 'pending';

      -- Append-only. Nothing of what the endpoint answered is kept but its status.
      CREATE TABLE webhook_attempt (
        tenant_id   text        NOT NULL,
        id          bigint      GENERATED ALWAYS AS IDENTITY,
        event_id    text        NOT NULL,
        webhook_id  bigint      NOT NULL,
        event       text        NOT NULL,
        attempt     integer     NOT NULL,
        at          timestamptz NOT NULL,
        delivered   boolean     NOT NULL,
        status_code integer,
        error       text,
        duration_ms integer     NOT NULL,
        PRIMARY KEY (tenant_id, id)
      );
      -- The delivery log of one endpoint.
      CREATE INDEX webhook_attempt_by_webhook ON webhook_attempt (tenant_id, webhook_id, id);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE webhook_attempt, webhook_delivery, webhook_event, webhook; DROP SEQUENCE webhook_id');
  }
}

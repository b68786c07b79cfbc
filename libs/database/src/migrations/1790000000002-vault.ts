import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Secrets in versions, payments, and the sums over payments. */
export class Vault1790000000002 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- A name and the version it stands for. Names sort by their bytes, whatever the database's locale.
      CREATE TABLE secret (
        tenant_id  text             NOT NULL REFERENCES tenant,
        name       text COLLATE "C" NOT NULL,
        id         text             NOT NULL,
        version    integer          NOT NULL,
        created_at timestamptz      NOT NULL,
        updated_at timestamptz      NOT NULL,
        -- Also the list, by name.
        PRIMARY KEY (tenant_id, name),
        CONSTRAINT secret_id      UNIQUE (tenant_id, id),
        CONSTRAINT secret_version_from_one CHECK (version >= 1)
      );

      -- One sealed value: wrapped_key under the tenant's key, value under that key (components of one place, see SecretPlace).
      CREATE TABLE secret_version (
        tenant_id          text        NOT NULL,
        secret_id          text        NOT NULL,
        version            integer     NOT NULL,
        scope_required     text        NOT NULL,
        tenant_key_version integer     NOT NULL,
        wrapped_key        bytea       NOT NULL,
        value              bytea       NOT NULL,
        created_at         timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, secret_id, version),
        CONSTRAINT secret_version_of_secret FOREIGN KEY (tenant_id, secret_id) REFERENCES secret (tenant_id, id) ON DELETE CASCADE
      );

      -- What was authorized; a denial is in the audit log only.
      CREATE TABLE payment (
        tenant_id    text        NOT NULL,
        id           text        NOT NULL,
        session_id   text        NOT NULL,
        agent_id     text        NOT NULL,
        amount_minor bigint      NOT NULL,
        currency     text        NOT NULL,
        -- What it took from a budget in US dollars; null when no rate was configured (and no limit was set).
        usd_micros   bigint,
        -- US dollars for one unit of the currency, for a payment that was converted.
        fx_rate      numeric,
        description  text        NOT NULL,
        created_at   timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT payment_amount   CHECK (amount_minor > 0),
        CONSTRAINT payment_usd      CHECK (usd_micros >= 0),
        CONSTRAINT payment_currency CHECK (currency ~ '^[A-Z]{3}$')
      );
      -- The list by session and by agent, newest first (ids are time-ordered).
      CREATE INDEX payment_by_session ON payment (tenant_id, session_id, id);
      CREATE INDEX payment_by_agent   ON payment (tenant_id, agent_id, id);

      -- Sums over payments, written with them: one row per tenant (subject ''), agent and session.
      CREATE TABLE payment_total (
        tenant_id  text   NOT NULL,
        scope      text   NOT NULL,
        subject    text   NOT NULL,
        agent_id   text   NOT NULL,
        payments   bigint NOT NULL,
        usd_micros bigint NOT NULL,
        PRIMARY KEY (tenant_id, scope, subject),
        CONSTRAINT payment_total_scope CHECK (scope IN ('tenant', 'agent', 'session'))
      ) WITH (fillfactor = 50);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE payment_total, payment, secret_version, secret;');
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Secrets in versions, payments, and the sums over payments. */
export class Vault1790000000002 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- A name and the version it stands for. Names sort by their bytes, whatever the database's locale. A deleted secret is out of
      -- sight at once, because its name is in another column, and can be brought back until purge_at; another one may take its name
      -- meanwhile.
      CREATE TABLE secret (
        tenant_id    text             NOT NULL REFERENCES tenant,
        id           text             NOT NULL,
        name         text COLLATE "C",
        deleted_name text COLLATE "C",
        version      integer          NOT NULL,
        created_at   timestamptz      NOT NULL,
        updated_at   timestamptz      NOT NULL,
        deleted_at   timestamptz,
        purge_at     timestamptz,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT secret_version_from_one CHECK (version >= 1),
        CONSTRAINT secret_live_or_deleted CHECK (num_nonnulls(name, deleted_name) = 1 AND num_nonnulls(deleted_name, deleted_at, purge_at) IN (0, 3))
      );
      -- A name stands for one secret. Also the list, by name. Not a partial index: how many rows it holds is guessed wrong while a
      -- table has no statistics, and a read of one secret then looks at all of them.
      CREATE UNIQUE INDEX secret_name    ON secret (tenant_id, name);
      -- Deleted ones, the last deleted first.
      CREATE INDEX        secret_deleted ON secret (tenant_id, deleted_at, id) WHERE deleted_at IS NOT NULL;
      -- The purge job.
      CREATE INDEX        secret_purge   ON secret (purge_at) WHERE purge_at IS NOT NULL;

      -- One sealed value: wrapped_key under the tenant's key, whose version it names, value under that key (components of one place,
      -- see SecretPlace). Some time after it expired both are emptied. Tools that it may be sent to are bound to it, so that a row of
      -- it with others does not open.
      CREATE TABLE secret_version (
        tenant_id          text        NOT NULL,
        secret_id          text        NOT NULL,
        version            integer     NOT NULL,
        scope_required     text        NOT NULL,
        expires_at         timestamptz,
        wrapped_key        bytea       NOT NULL,
        value              bytea       NOT NULL,
        created_at         timestamptz NOT NULL,
        bindings           text[] COLLATE "C" NOT NULL DEFAULT '{}',
        PRIMARY KEY (tenant_id, secret_id, version),
        CONSTRAINT secret_version_of_secret FOREIGN KEY (tenant_id, secret_id) REFERENCES secret (tenant_id, id) ON DELETE CASCADE
      );
      -- The purge job.
      CREATE INDEX secret_version_expiring ON secret_version (expires_at) WHERE expires_at IS NOT NULL AND value <> '';

      -- What was authorized, at once or as a hold; a denial is in the audit log only. Of a payment only its state changes, from
      -- 'held' to what became of it, once.
      CREATE TABLE payment (
        tenant_id       text        NOT NULL,
        id              text        NOT NULL,
        session_id      text        NOT NULL,
        agent_id        text        NOT NULL,
        amount_minor    bigint      NOT NULL,
        currency        text        NOT NULL,
        -- What it took from a budget in US dollars; null when no rate was configured (and no limit was set).
        usd_micros      bigint,
        -- US dollars for one unit of the currency, for a payment that was converted.
        fx_rate         numeric,
        description     text        NOT NULL,
        created_at      timestamptz NOT NULL,
        state           text        NOT NULL,
        -- When a hold ends by itself.
        expires_at      timestamptz,
        captured_minor  bigint,
        captured_micros bigint,
        settled_at      timestamptz,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT payment_amount   CHECK (amount_minor > 0),
        CONSTRAINT payment_usd      CHECK (usd_micros >= 0),
        CONSTRAINT payment_currency CHECK (currency ~ '^[A-Z]{3}$'),
        CONSTRAINT payment_state    CHECK (state IN ('authorized', 'held', 'captured', 'voided', 'expired')),
        CONSTRAINT payment_hold     CHECK ((state = 'authorized') = (expires_at IS NULL)),
        CONSTRAINT payment_settled  CHECK ((state IN ('captured', 'voided', 'expired')) = (settled_at IS NOT NULL)),
        CONSTRAINT payment_captured CHECK ((state = 'captured') = (captured_minor IS NOT NULL) AND captured_minor BETWEEN 1 AND amount_minor
                                           AND captured_micros BETWEEN 0 AND coalesce(usd_micros, 0))
      ) WITH (fillfactor = 85);
      -- The list by session and by agent, newest first (ids are time-ordered).
      CREATE INDEX payment_by_session ON payment (tenant_id, session_id, id);
      CREATE INDEX payment_by_agent   ON payment (tenant_id, agent_id, id);

      -- The expiry job.
      CREATE INDEX payment_hold_ending ON payment (expires_at) WHERE state = 'held';

      -- The ledger: what each step of a payment moved, in US dollars. Append-only, and each step at most once; what leaves
      -- 'available' enters 'held' or 'spent', so a session's columns are the sums of its payments' rows.
      CREATE TABLE payment_event (
        tenant_id    text        NOT NULL,
        payment_id   text        NOT NULL,
        type         text        NOT NULL,
        session_id   text        NOT NULL,
        spent_micros bigint      NOT NULL,
        held_micros  bigint      NOT NULL,
        at           timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, payment_id, type),
        CONSTRAINT payment_event_type CHECK (type IN ('authorized', 'held', 'captured', 'voided', 'expired')),
        CONSTRAINT payment_event_moves CHECK (
          CASE type WHEN 'authorized' THEN spent_micros >= 0 AND held_micros = 0
                    WHEN 'held'       THEN spent_micros = 0 AND held_micros >= 0
                    WHEN 'captured'   THEN spent_micros BETWEEN 0 AND -held_micros
                    ELSE spent_micros = 0 AND held_micros <= 0 END)
      );
      -- A hold is settled once: captured, voided or expired.
      CREATE UNIQUE INDEX payment_event_settles_once ON payment_event (tenant_id, payment_id) WHERE type NOT IN ('authorized', 'held');

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

      -- Everything that is not as it must be, by one query: no row means that the books are in order.
      CREATE VIEW payment_fault WITH (security_invoker = true) AS
        WITH ledger AS (
          SELECT tenant_id, session_id, sum(spent_micros) AS spent, sum(held_micros) AS held FROM payment_event GROUP BY 1, 2
        ), steps AS (
          SELECT tenant_id, payment_id, array_agg(type ORDER BY type) AS types, sum(held_micros) AS held, sum(spent_micros) AS spent
            FROM payment_event GROUP BY 1, 2
        )
        SELECT s.tenant_id, 'session' AS what, s.id AS subject, 'spent or held is not the sum of its payments' AS fault
          FROM session s LEFT JOIN ledger l ON l.tenant_id = s.tenant_id AND l.session_id = s.id
         WHERE s.spent_micros <> coalesce(l.spent, 0) OR s.held_micros <> coalesce(l.held, 0)
        UNION ALL
        SELECT s.tenant_id, 'session', s.id, 'more is spent and held than the limit' FROM session s
         WHERE s.spent_micros + s.held_micros > s.spend_limit_micros
        UNION ALL
        SELECT p.tenant_id, 'payment', p.id, 'its steps do not lead to its state'
          FROM payment p LEFT JOIN steps e ON e.tenant_id = p.tenant_id AND e.payment_id = p.id
         WHERE e.types IS DISTINCT FROM CASE p.state WHEN 'authorized' THEN ARRAY['authorized'] WHEN 'held' THEN ARRAY['held']
                                                     WHEN 'captured' THEN ARRAY['captured', 'held'] WHEN 'voided' THEN ARRAY['held', 'voided']
                                                     ELSE ARRAY['expired', 'held'] END
            OR e.held  <> CASE p.state WHEN 'held' THEN coalesce(p.usd_micros, 0) ELSE 0 END
            OR e.spent <> CASE p.state WHEN 'authorized' THEN coalesce(p.usd_micros, 0) WHEN 'captured' THEN coalesce(p.captured_micros, 0) ELSE 0 END
        UNION ALL
        SELECT t.tenant_id, 'total', t.scope || ' ' || t.subject, 'the sum is not that of the payments'
          FROM payment_total t
          LEFT JOIN LATERAL (
                SELECT count(*) AS payments, coalesce(sum(CASE p.state WHEN 'captured' THEN p.captured_micros ELSE p.usd_micros END), 0) AS micros
                  FROM payment p WHERE p.tenant_id = t.tenant_id AND p.state IN ('authorized', 'captured')
                   AND (t.scope = 'tenant' OR (t.scope = 'agent' AND p.agent_id = t.subject) OR (t.scope = 'session' AND p.session_id = t.subject))
               ) s ON true
         WHERE t.payments <> s.payments OR t.usd_micros <> s.micros
        UNION ALL
        SELECT u.tenant_id, 'budget', u.scope || ' ' || u.subject || ' ' || u.period, 'the usage is not that of the payments'
          FROM budget_usage u
          LEFT JOIN LATERAL (
                SELECT coalesce(sum(e.spent_micros), 0) AS spent, coalesce(sum(e.held_micros), 0) AS held
                  FROM payment p JOIN payment_event e ON e.tenant_id = p.tenant_id AND e.payment_id = p.id
                 WHERE p.tenant_id = u.tenant_id
                   AND CASE u.scope WHEN 'tenant_month' THEN to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM') = u.period
                                    ELSE p.agent_id = u.subject AND to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') = u.period END
               ) s ON true
         WHERE u.spent_micros <> s.spent OR u.held_micros <> s.held;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'DROP VIEW payment_fault; DROP TABLE payment_total, payment_event, payment, secret_version, secret;',
    );
  }
}

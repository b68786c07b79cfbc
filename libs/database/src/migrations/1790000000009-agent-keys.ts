import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Keys that act as one agent under a ceiling, the session each of them goes on with, and agents that are stopped. */
export class AgentKeys1790000000009 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Of an agent key, the ceiling of everything it does: what its sessions may hold, for how long at most, and what all of them
      -- together may spend in a period. No upstreams named means every upstream.
      ALTER TABLE api_key
        ADD COLUMN kind                     text NOT NULL DEFAULT 'key',
        ADD COLUMN agent_id                 text,
        ADD COLUMN agent_scopes             text[],
        ADD COLUMN agent_ttl_seconds        integer,
        ADD COLUMN agent_spend_limit_micros bigint,
        ADD COLUMN agent_spend_period       text,
        ADD COLUMN agent_upstreams          text[],
        ADD CONSTRAINT api_key_kind    CHECK (kind IN ('key', 'agent')),
        ADD CONSTRAINT api_key_ceiling CHECK (
          num_nonnulls(agent_id, agent_scopes, agent_ttl_seconds, agent_spend_limit_micros, agent_spend_period)
            = CASE kind WHEN 'agent' THEN 5 ELSE 0 END AND (agent_upstreams IS NULL OR kind = 'agent')),
        ADD CONSTRAINT api_key_ceiling_values CHECK (
          agent_ttl_seconds > 0 AND agent_spend_limit_micros >= 0 AND agent_spend_period IN ('day', 'month', 'total'));

      -- The session that an agent key acts through when it names none. The row is locked by whoever opens another.
      CREATE TABLE agent_session (
        tenant_id  text NOT NULL REFERENCES tenant,
        -- As session.opened_key has it.
        key_id     text NOT NULL,
        session_id text,
        PRIMARY KEY (tenant_id, key_id)
      ) WITH (fillfactor = 70);

      -- Agents that are stopped until somebody lets them go on. Their sessions are as good as dead meanwhile.
      CREATE TABLE agent_freeze (
        tenant_id text        NOT NULL REFERENCES tenant,
        agent_id  text        NOT NULL,
        reason    text        NOT NULL,
        -- The principal that did it.
        by        text        NOT NULL,
        at        timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, agent_id)
      );

      -- The standing budgets of keys that it was taken from, each as 'key period', where a hold is settled; and whether it is the
      -- price of a call, which is none of the agent's to settle.
      ALTER TABLE payment
        ADD COLUMN drawn_on text[]  NOT NULL DEFAULT '{}',
        ADD COLUMN of_call  boolean NOT NULL DEFAULT false;

      -- A digest says whose call it is: of an agent key, whatever session it is made in.
      DROP INDEX approval_request_waiting, approval_request_by_call;
      CREATE UNIQUE INDEX approval_request_waiting ON approval_request (tenant_id, digest) WHERE status = 'pending' AND digest IS NOT NULL;
      CREATE INDEX approval_request_by_call ON approval_request (tenant_id, digest, id) WHERE digest IS NOT NULL;
    `);
    for (const table of ['agent_session', 'agent_freeze']) {
      await db.query(`
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO haldir_app;
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant_wall ON ${table} TO haldir_app
          USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
      `);
    }
    await db.query(`
      DROP FUNCTION api_key_live;
      -- With the session that an agent key goes on with, and when that ends; null unless it is live but for its time.
      CREATE FUNCTION api_key_live(p_public_ids text[])
      RETURNS TABLE (tenant_id text, public_id text, tier text, scopes text[], hash bytea, tenant_tier text, is_operator boolean,
                     kind text, agent_id text, agent_scopes text[], agent_ttl_seconds integer, agent_spend_limit_micros bigint,
                     agent_spend_period text, agent_upstreams text[], session_id text, session_expires_at timestamptz)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT k.tenant_id, k.public_id, k.tier, k.scopes, k.hash, t.tier, t.is_operator,
               k.kind, k.agent_id, k.agent_scopes, k.agent_ttl_seconds, k.agent_spend_limit_micros, k.agent_spend_period,
               k.agent_upstreams, s.id, s.expires_at
          FROM api_key k JOIN tenant t ON t.id = k.tenant_id
          LEFT JOIN agent_session c ON k.kind = 'agent' AND c.tenant_id = k.tenant_id AND c.key_id = 'hld_' || k.public_id
          LEFT JOIN session s ON s.tenant_id = c.tenant_id AND s.id = c.session_id AND s.revoked_at IS NULL
         WHERE k.public_id = ANY (p_public_ids) AND k.revoked_at IS NULL
      $$;
    `);
    await db.query(paymentFaults(BY_SCOPE));
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(paymentFaults(BY_SCOPE_BEFORE));
    await db.query(`
      DROP FUNCTION api_key_live;
      CREATE FUNCTION api_key_live(p_public_ids text[])
      RETURNS TABLE (tenant_id text, public_id text, tier text, scopes text[], hash bytea, tenant_tier text, is_operator boolean)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT k.tenant_id, k.public_id, k.tier, k.scopes, k.hash, t.tier, t.is_operator
          FROM api_key k JOIN tenant t ON t.id = k.tenant_id
         WHERE k.public_id = ANY (p_public_ids) AND k.revoked_at IS NULL
      $$;
      DROP INDEX approval_request_waiting, approval_request_by_call;
      CREATE UNIQUE INDEX approval_request_waiting ON approval_request (tenant_id, session_id, digest) WHERE status = 'pending' AND digest IS NOT NULL;
      CREATE INDEX approval_request_by_call ON approval_request (tenant_id, session_id, digest, id) WHERE digest IS NOT NULL;
      ALTER TABLE payment DROP COLUMN of_call, DROP COLUMN drawn_on;
      DROP TABLE agent_freeze, agent_session;
      ALTER TABLE api_key DROP COLUMN agent_upstreams, DROP COLUMN agent_spend_period, DROP COLUMN agent_spend_limit_micros,
        DROP COLUMN agent_ttl_seconds, DROP COLUMN agent_scopes, DROP COLUMN agent_id, DROP COLUMN kind;
    `);
  }
}

const BY_SCOPE_BEFORE = `CASE u.scope WHEN 'tenant_month' THEN to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM') = u.period
                                      ELSE p.agent_id = u.subject AND to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') = u.period END`;
const BY_SCOPE = `CASE u.scope WHEN 'tenant_month' THEN to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM') = u.period
                               WHEN 'key' THEN (u.subject || ' ' || u.period) = ANY (p.drawn_on)
                               ELSE p.agent_id = u.subject AND to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') = u.period END`;

/** The books as `0002-vault` has them in order, with what a usage counts by its scope. */
function paymentFaults(countsByScope: string): string {
  return `
      CREATE OR REPLACE VIEW payment_fault WITH (security_invoker = true) AS
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
                   AND ${countsByScope}
               ) s ON true
         WHERE u.spent_micros <> s.spent OR u.held_micros <> s.held
  `;
}

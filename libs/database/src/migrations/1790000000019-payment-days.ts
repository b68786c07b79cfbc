import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What was paid by day, agent and tool: the sums that people ask for, written with the payments. */
export class PaymentDays1790000000019 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Of a payment that is no price of a call, the tool is Haldir's own; the description of one that is names the tool.
      CREATE FUNCTION payment_tool(p_of_call boolean, p_description text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN p_of_call THEN substr(p_description, length('Call of ') + 1) ELSE 'haldir.vault' END
      $$;

      -- By the UTC day on which it was taken from the budgets, as budgets of a day count it.
      CREATE TABLE payment_day (
        tenant_id  text   NOT NULL,
        day        text   NOT NULL,
        agent_id   text   NOT NULL,
        tool       text   NOT NULL,
        payments   bigint NOT NULL,
        usd_micros bigint NOT NULL,
        PRIMARY KEY (tenant_id, day, agent_id, tool)
      ) WITH (fillfactor = 50);
      -- The days of one agent, the last first.
      CREATE INDEX payment_day_by_agent ON payment_day (tenant_id, agent_id, day, tool);
      ALTER TABLE payment_day ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON payment_day TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
      GRANT SELECT, INSERT, UPDATE ON payment_day TO haldir_app;

      CREATE VIEW payment_by_day WITH (security_invoker = true) AS
        SELECT tenant_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, agent_id, payment_tool(of_call, description) AS tool, session_id,
               count(*) AS payments, coalesce(sum(CASE state WHEN 'captured' THEN captured_micros ELSE usd_micros END), 0)::bigint AS usd_micros
          FROM payment WHERE state IN ('authorized', 'captured') GROUP BY 1, 2, 3, 4, 5;
      GRANT SELECT ON payment_by_day TO haldir_app;
      INSERT INTO payment_day (tenant_id, day, agent_id, tool, payments, usd_micros)
        SELECT tenant_id, day, agent_id, tool, sum(payments), sum(usd_micros) FROM payment_by_day GROUP BY 1, 2, 3, 4;

      -- The books are proved by one query, with these.
      DO $do$ BEGIN
        EXECUTE 'CREATE OR REPLACE VIEW payment_fault WITH (security_invoker = true) AS ' || rtrim(pg_get_viewdef('payment_fault'::regclass), ';') || $view$
          UNION ALL
          SELECT coalesce(d.tenant_id, p.tenant_id), 'day', coalesce(d.day || ' ' || d.agent_id || ' ' || d.tool, p.day || ' ' || p.agent_id || ' ' || p.tool),
                 'the sum is not that of the payments'
            FROM payment_day d
            FULL JOIN (SELECT tenant_id, day, agent_id, tool, sum(payments) AS payments, sum(usd_micros) AS usd_micros FROM payment_by_day GROUP BY 1, 2, 3, 4) p
              ON p.tenant_id = d.tenant_id AND p.day = d.day AND p.agent_id = d.agent_id AND p.tool = d.tool
           WHERE d.payments IS DISTINCT FROM p.payments OR d.usd_micros IS DISTINCT FROM p.usd_micros
        $view$;
      END $do$;
    `);
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('the books would be proved without the sums by day'));
  }
}

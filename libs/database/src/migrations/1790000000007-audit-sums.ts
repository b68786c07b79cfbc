import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Sums over each log, which readers and the anomaly scan go by. */
export class AuditSums1790000000007 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Sums over the entries before the mark; what came after is added when read, and moved here in the background.
      -- scope 'tool': part is the tool. 'agents': part the agent. 'agent': subject the agent, part the tool. 'session': subject the session, part the
      -- tool. 'day': part the UTC day. 'hour': subject the agent, part the UTC hour, of what the agent did itself, for the scan. 'event': part the action
      -- of what Haldir itself wrote, so that things that are recorded once need not be counted elsewhere.
      CREATE TABLE audit_rollup (
        tenant_id   text   NOT NULL,
        scope       text   NOT NULL,
        subject     text   NOT NULL,
        part        text   NOT NULL,
        agent_id    text   NOT NULL,
        entries     bigint NOT NULL,
        flagged     bigint NOT NULL,
        denials     bigint NOT NULL,
        cost_micros bigint NOT NULL,
        PRIMARY KEY (tenant_id, scope, subject, part),
        CONSTRAINT audit_rollup_scope CHECK (scope IN ('tool', 'agents', 'agent', 'session', 'day', 'hour', 'event'))
      ) WITH (fillfactor = 70);
      -- The scan: which agents of any tenant were active in an hour.
      CREATE INDEX audit_rollup_hour ON audit_rollup (part) WHERE scope = 'hour';
      CREATE TABLE audit_rollup_mark (
        tenant_id   text   PRIMARY KEY REFERENCES tenant,
        seq         bigint NOT NULL,
        flagged     bigint NOT NULL,
        cost_micros bigint NOT NULL,
        agents      bigint NOT NULL
      ) WITH (fillfactor = 50);

      -- What the scan found, so that it says so once per agent, kind and hour.
      CREATE TABLE audit_finding (
        tenant_id text NOT NULL,
        agent_id  text NOT NULL,
        kind      text NOT NULL,
        hour      text NOT NULL,
        entry_id  text NOT NULL,
        PRIMARY KEY (tenant_id, agent_id, kind, hour)
      );

      -- Moves up to p_most entries behind the mark into the sums; answers how many. One at a time per tenant.
      CREATE FUNCTION audit_rollup_advance(p_tenant text, p_most integer) RETURNS integer
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
      DECLARE
        v_mark   bigint;
        v_count  integer;
        v_flags  bigint;
        v_cost   bigint;
        v_agents integer;
      BEGIN
        PERFORM haldir_check_tenants(ARRAY[p_tenant]);
        INSERT INTO audit_rollup_mark (tenant_id, seq, flagged, cost_micros, agents) VALUES (p_tenant, 0, 0, 0, 0) ON CONFLICT DO NOTHING;
        SELECT seq INTO STRICT v_mark FROM audit_rollup_mark WHERE tenant_id = p_tenant FOR UPDATE;
        -- Entries that are alike in all that is summed are one row from here on.
        WITH entry AS MATERIALIZED (
          SELECT session_id, agent_id, tool, action, source, date_trunc('hour', at, 'UTC') AT TIME ZONE 'UTC' AS hour,
                 count(*) AS entries, count(flag_reason) AS flagged, sum(cost_micros)::bigint AS cost_micros
            FROM audit_entry WHERE tenant_id = p_tenant AND seq >= v_mark AND seq < v_mark + p_most
           GROUP BY 1, 2, 3, 4, 5, 6
        ), share AS (
          SELECT s.scope, s.subject, s.part, min(entry.agent_id) AS agent_id, sum(entries)::bigint AS entries, sum(flagged)::bigint AS flagged,
                 coalesce(sum(entries) FILTER (WHERE source <> 'agent' AND action ~ '_(denied|blocked)$'), 0)::bigint AS denials,
                 sum(cost_micros)::bigint AS cost_micros
            FROM entry CROSS JOIN LATERAL (VALUES ('tool', '', tool), ('agents', '', entry.agent_id), ('agent', entry.agent_id, tool),
                                                  ('session', session_id, tool), ('day', '', to_char(hour, 'YYYY-MM-DD')),
                                                  ('hour', entry.agent_id, to_char(hour, 'YYYY-MM-DD"T"HH24')),
                                                  ('event', '', action)) AS s(scope, subject, part)
           WHERE (s.scope NOT IN ('session', 'hour') OR s.subject <> '') AND (s.scope <> 'event' OR source <> 'agent')
             AND (s.scope <> 'hour' OR source <> 'haldir')
           GROUP BY 1, 2, 3
        ), fresh AS (
          -- A sub-select, so that it is a look into the index for each agent, whatever the planner knows of the table.
          SELECT count(*) AS agents FROM (SELECT DISTINCT agent_id FROM entry WHERE agent_id <> '') AS a
           WHERE (SELECT true FROM audit_rollup r WHERE r.tenant_id = p_tenant AND r.scope = 'agents' AND r.subject = '' AND r.part = a.agent_id) IS NULL
        ), added AS (
          INSERT INTO audit_rollup AS r (tenant_id, scope, subject, part, agent_id, entries, flagged, denials, cost_micros)
            SELECT p_tenant, share.* FROM share ORDER BY 1, 2, 3
            ON CONFLICT (tenant_id, scope, subject, part) DO UPDATE
            SET entries = r.entries + excluded.entries, flagged = r.flagged + excluded.flagged,
                denials = r.denials + excluded.denials, cost_micros = r.cost_micros + excluded.cost_micros
        )
        SELECT coalesce(sum(entries), 0), coalesce(sum(flagged), 0), coalesce(sum(cost_micros), 0), (SELECT agents FROM fresh)
          INTO v_count, v_flags, v_cost, v_agents FROM entry;
        IF v_count > 0 THEN
          UPDATE audit_rollup_mark SET seq = seq + v_count, flagged = flagged + v_flags, cost_micros = cost_micros + v_cost, agents = agents + v_agents
           WHERE tenant_id = p_tenant;
        END IF;
        RETURN v_count;
      END $$;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP FUNCTION audit_rollup_advance;
      DROP TABLE audit_finding, audit_rollup_mark, audit_rollup;
    `);
  }
}

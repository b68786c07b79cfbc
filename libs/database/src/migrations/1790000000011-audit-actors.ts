import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Entries of format 2 name who acted: an opaque id, and a salted context that can be erased as details are. */
export class AuditActors1790000000011 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- An entry without an actor is of format 1: those that are there already, and stay so.
      ALTER TABLE audit_entry
        ADD COLUMN actor_id     text,
        ADD COLUMN context      text,
        ADD COLUMN context_salt bytea,
        ADD COLUMN context_hash bytea,
        ADD CONSTRAINT audit_entry_context CHECK (context_hash IS NULL OR actor_id IS NOT NULL);

      -- Entries stay as they were written, but for details and context that are erased, with their salts, by audit_erase_details.
      CREATE OR REPLACE FUNCTION audit_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'UPDATE' AND NEW.details IS NULL AND NEW.details_salt IS NULL AND NEW.context IS NULL AND NEW.context_salt IS NULL
           AND (OLD.details IS NOT NULL OR OLD.context IS NOT NULL) THEN
          OLD.details := NULL;
          OLD.details_salt := NULL;
          OLD.context := NULL;
          OLD.context_salt := NULL;
          IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'audit entries are append-only';
      END $$;

      -- Erases the details and the context of one entry: true when there were any. Records of erasures keep theirs.
      CREATE OR REPLACE FUNCTION audit_erase_details(p_tenant text, p_entry text) RETURNS boolean
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      BEGIN
        PERFORM haldir_check_tenants(ARRAY[p_tenant]);
        UPDATE audit_entry SET details = NULL, details_salt = NULL, context = NULL, context_salt = NULL
         WHERE tenant_id = p_tenant AND entry_id = p_entry AND (details IS NOT NULL OR context IS NOT NULL)
           AND NOT (source = 'haldir' AND action = 'audit_details_erased');
        RETURN FOUND;
      END $$;
    `);

    // As before (see the migration of the log), with who acted. An entry for which none is given is of format 1.
    await db.query(`
      CREATE FUNCTION audit_append(p_tenants text[], p_ids text[], p_sources text[], p_sessions text[], p_agents text[],
                                   p_tools text[], p_actions text[], p_costs bigint[], p_micros bigint[], p_details text[],
                                   p_salts text[], p_details_hashes text[], p_contents text[], p_flags text[],
                                   p_actors text[], p_contexts text[], p_context_salts text[], p_context_hashes text[])
      RETURNS TABLE (leaf_index bigint, reason text)
      LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = public, pg_temp
      SET plan_cache_mode = force_generic_plan
      SET enable_seqscan = off
      SET enable_hashjoin = off
      SET enable_mergejoin = off
      AS $$
      DECLARE
        a             record;
        i             integer;
        t             integer;
        k             integer := 0;
        v_count       integer := cardinality(p_tenants);
        v_tenants     text[];
        v_sizes       bigint[];
        v_heads       bytea[];
        v_lasts       bigint[];
        v_limits      bigint[];
        v_new_tools   integer[];
        v_rapid_max   integer;
        v_rapid_span  bigint;
        v_cost_max    bigint;
        v_tool_min    bigint;
        v_agents      audit_agent[];
        v_recent      bigint[];
        v_calls       bigint;
        v_announced   timestamptz;
        v_now         timestamptz;
        v_dirty       boolean;
        v_rapid       boolean;
        v_other       boolean;
        v_flag        text;
        v_flags       text[] := p_flags;
        v_announce    integer[];
        v_tenant      text;
        v_size        bigint;
        v_hash        bytea;
        v_last        bigint;
        v_body        bytea;
        v_seqs        bigint[] := p_micros;
        v_times       bigint[] := p_micros;
        v_prevs       bytea[] := array_fill(''::bytea, ARRAY[v_count]);
        v_hashes      bytea[] := array_fill(''::bytea, ARRAY[v_count]);
      BEGIN
        PERFORM haldir_check_tenants(p_tenants);
        SELECT array_agg(h.tenant_id), array_agg(h.size), array_agg(h.hash), array_agg(h.last_micros), array_agg(h.limits)
          INTO v_tenants, v_sizes, v_heads, v_lasts, v_limits
          FROM (SELECT * FROM audit_head WHERE tenant_id = ANY (p_tenants) ORDER BY tenant_id COLLATE "C" FOR UPDATE) AS h;

        -- The first use of a tool by an agent, where there is one.
        SELECT array_agg(u.n) INTO v_new_tools
          FROM (SELECT e.tenant_id, e.agent_id, e.tool, min(e.n)::integer AS n
                  FROM unnest(p_tenants, p_agents, p_tools, p_sources) WITH ORDINALITY AS e(tenant_id, agent_id, tool, source, n)
                 WHERE e.source IN ('agent', 'proxy') AND e.tool <> '' AND e.agent_id <> ''
                 GROUP BY 1, 2, 3) AS u
         WHERE NOT EXISTS (SELECT FROM audit_agent_tool x WHERE x.tenant_id = u.tenant_id AND x.agent_id = u.agent_id AND x.tool = u.tool);
        IF v_new_tools IS NOT NULL THEN
          INSERT INTO audit_agent_tool (tenant_id, agent_id, tool) SELECT p_tenants[n], p_agents[n], p_tools[n] FROM unnest(v_new_tools) AS n;
        END IF;

        -- Flags, agent by agent.
        FOR a IN
          SELECT e.tenant_id, e.agent_id, e.ns, s.recent_micros, s.tool_calls, s.rapid_announced_at
            FROM (SELECT x.tenant_id, x.agent_id, array_agg(x.n::integer ORDER BY x.n) AS ns
                    FROM unnest(p_tenants, p_agents) WITH ORDINALITY AS x(tenant_id, agent_id, n) GROUP BY 1, 2) AS e
            LEFT JOIN audit_agent s ON s.tenant_id = e.tenant_id AND s.agent_id = e.agent_id
        LOOP
          t := array_position(v_tenants, a.tenant_id);
          IF t IS NULL THEN RAISE no_data_found USING MESSAGE = 'the tenant has no log'; END IF;
          v_rapid_max := v_limits[t][1];
          v_rapid_span := v_limits[t][2];
          v_cost_max := v_limits[t][3];
          v_tool_min := v_limits[t][4];
          v_recent := coalesce(a.recent_micros, '{}');
          v_calls := coalesce(a.tool_calls, 0);
          v_announced := a.rapid_announced_at;
          v_dirty := false;
          FOREACH i IN ARRAY a.ns LOOP
            v_flag := p_flags[i];
            v_rapid := false;
            IF p_costs[i] > v_cost_max THEN
              v_flag := concat_ws('; ', v_flag, format('high_cost: one action over %s USD', trim_scale(v_cost_max / 1000000.0)));
            END IF;
            IF a.agent_id <> '' AND p_sources[i] <> 'haldir' THEN
              v_dirty := true;
              IF v_rapid_max IS NOT NULL THEN
                k := cardinality(v_recent) - v_rapid_max + 1;
                v_rapid := k > 0 AND v_recent[k] > p_micros[i] - v_rapid_span;
                v_recent := (CASE WHEN k > 0 THEN v_recent[k + 1 :] ELSE v_recent END) || p_micros[i];
              END IF;
              IF p_tools[i] <> '' AND p_sources[i] <> 'session' THEN
                IF v_calls >= v_tool_min AND i = ANY (v_new_tools) THEN
                  v_flag := concat_ws('; ', v_flag, format('unusual_tool: not used in %s earlier tool calls', v_calls));
                END IF;
                v_calls := v_calls + 1;
              END IF;
            END IF;
            IF v_flag IS NOT NULL OR v_rapid THEN
              v_other := v_flag IS NOT NULL;
              v_now := to_timestamp(p_micros[i] / 1000000.0);
              IF v_rapid THEN
                v_flag := concat_ws('; ', format('rapid_fire: more than %s actions within %s s', v_rapid_max, v_rapid_span / 1000000), v_flag);
              END IF;
              v_flags[i] := v_flag;
              -- A burst is announced once a minute, whatever else is wrong always.
              IF v_other OR v_announced IS NULL OR v_now >= v_announced + interval '1 minute' THEN
                v_announce := v_announce || i;
                IF v_rapid THEN v_announced := v_now; END IF;
              END IF;
            END IF;
          END LOOP;
          IF v_dirty THEN
            v_agents := v_agents || ROW(a.tenant_id, a.agent_id, v_recent, v_calls, v_announced)::audit_agent;
          END IF;
        END LOOP;
        IF v_agents IS NOT NULL THEN
          INSERT INTO audit_agent (tenant_id, agent_id, recent_micros, tool_calls, rapid_announced_at)
            SELECT x.tenant_id, x.agent_id, x.recent_micros, x.tool_calls, x.rapid_announced_at FROM unnest(v_agents) AS x
            ON CONFLICT (tenant_id, agent_id) DO UPDATE
            SET recent_micros = excluded.recent_micros, tool_calls = excluded.tool_calls, rapid_announced_at = excluded.rapid_announced_at;
        END IF;

        -- The chain, in the writer's order.
        FOR i IN 1 .. v_count LOOP
          IF v_tenant IS DISTINCT FROM p_tenants[i] THEN
            IF v_tenant IS NOT NULL THEN
              v_sizes[t] := v_size;
              v_heads[t] := v_hash;
              v_lasts[t] := v_last;
            END IF;
            v_tenant := p_tenants[i];
            t := array_position(v_tenants, v_tenant);
            v_size := v_sizes[t];
            v_hash := v_heads[t];
            v_last := v_lasts[t];
          END IF;
          v_seqs[i] := v_size;
          v_size := v_size + 1;
          IF p_micros[i] > v_last THEN v_last := p_micros[i]; ELSE v_times[i] := v_last; END IF;
          v_prevs[i] := v_hash;
          v_body := sha256(decode(p_contents[i], 'hex') || int8send(v_last)
                           || CASE WHEN v_flags[i] IS NULL THEN '\\x00'::bytea ELSE '\\x01'::bytea || convert_to(v_flags[i], 'UTF8') END);
          v_hash := sha256('\\x00'::bytea || v_hash || v_body);
          v_hashes[i] := v_hash;
        END LOOP;
        v_sizes[t] := v_size;
        v_heads[t] := v_hash;
        v_lasts[t] := v_last;
        UPDATE audit_head h SET size = u.size, hash = u.hash, last_micros = u.last_micros
          FROM unnest(v_tenants, v_sizes, v_heads, v_lasts) AS u(tenant_id, size, hash, last_micros) WHERE h.tenant_id = u.tenant_id;

        INSERT INTO audit_entry (tenant_id, seq, entry_id, source, session_id, agent_id, tool, action, cost_micros, at,
                                 details, details_salt, details_hash, flag_reason, prev_hash, entry_hash,
                                 actor_id, context, context_salt, context_hash)
          SELECT e.tenant_id, e.seq, e.entry_id, e.source, e.session_id, e.agent_id, e.tool, e.action, e.cost_micros,
                 to_timestamp(e.micros / 1000000.0), e.details, decode(e.salt, 'hex'), decode(e.details_hash, 'hex'),
                 e.flag, e.prev, e.hash,
                 e.actor, e.context, decode(e.context_salt, 'hex'), decode(e.context_hash, 'hex')
            FROM unnest(p_tenants, v_seqs, p_ids, p_sources, p_sessions, p_agents, p_tools, p_actions, p_costs, v_times, p_details,
                        p_salts, p_details_hashes, v_flags, v_prevs, v_hashes, p_actors, p_contexts, p_context_salts, p_context_hashes)
                 AS e(tenant_id, seq, entry_id, source, session_id, agent_id, tool, action, cost_micros, micros, details,
                      salt, details_hash, flag, prev, hash, actor, context, context_salt, context_hash);

        IF v_announce IS NOT NULL THEN
          INSERT INTO outbox (tenant_id, event_id, type, data, created_at)
            SELECT p_tenants[n], 'evt_' || substr(p_ids[n], 5), 'anomaly',
                   jsonb_build_object('entry_id', p_ids[n], 'session_id', p_sessions[n], 'agent_id', p_agents[n], 'tool', p_tools[n],
                                      'action', p_actions[n], 'entry_source', p_sources[n], 'reason', v_flags[n], 'cost_usd', trim_scale(p_costs[n] / 1000000.0)),
                   to_timestamp(v_times[n] / 1000000.0)
              FROM unnest(v_announce) AS n;
        END IF;

        RETURN QUERY SELECT * FROM unnest(v_seqs, v_flags);
      END $$;

      -- What processes of the version before still call while they are replaced.
      CREATE OR REPLACE FUNCTION audit_append(p_tenants text[], p_ids text[], p_sources text[], p_sessions text[], p_agents text[],
                                              p_tools text[], p_actions text[], p_costs bigint[], p_micros bigint[], p_details text[],
                                              p_salts text[], p_details_hashes text[], p_contents text[], p_flags text[])
      RETURNS TABLE (leaf_index bigint, reason text) LANGUAGE sql SET search_path = public, pg_temp AS $$
        SELECT * FROM audit_append(p_tenants, p_ids, p_sources, p_sessions, p_agents, p_tools, p_actions, p_costs, p_micros, p_details,
                                   p_salts, p_details_hashes, p_contents, p_flags, NULL, NULL, NULL, NULL)
      $$;
    `);
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('entries of format 2 cannot be written down in format 1'));
  }
}

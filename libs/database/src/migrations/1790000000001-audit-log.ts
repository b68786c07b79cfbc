import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The tamper-evident log: heads, entries, what the rules need to know of an agent, tiles and checkpoints. */
export class AuditLog1790000000001 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- One row per log; whoever appends holds its lock from reading the head to commit.
      CREATE TABLE audit_head (
        tenant_id text   PRIMARY KEY REFERENCES tenant,
        size      bigint NOT NULL,
        hash      bytea  NOT NULL
      ) WITH (fillfactor = 50);

      CREATE TABLE audit_entry (
        tenant_id    text        NOT NULL,
        seq          bigint      NOT NULL,
        entry_id     text        NOT NULL,
        source       text        NOT NULL,
        session_id   text        NOT NULL,
        agent_id     text        NOT NULL,
        tool         text        NOT NULL,
        action       text        NOT NULL,
        cost_micros  bigint      NOT NULL,
        at           timestamptz NOT NULL,
        details      text,
        details_salt bytea,
        details_hash bytea,
        flag_reason  text,
        prev_hash    bytea       NOT NULL,
        body_hash    bytea       NOT NULL,
        entry_hash   bytea       NOT NULL,
        -- Also makes a fork impossible: two entries cannot have one position.
        PRIMARY KEY (tenant_id, seq),
        CONSTRAINT audit_entry_cost   CHECK (cost_micros >= 0),
        CONSTRAINT audit_entry_source CHECK (source IN ('agent', 'proxy', 'session', 'haldir'))
      );
      -- Look-up of one entry, and the export's manifest.
      CREATE UNIQUE INDEX audit_entry_id         ON audit_entry (tenant_id, entry_id);
      -- The list by session, agent and tool, newest first.
      CREATE INDEX        audit_entry_by_session ON audit_entry (tenant_id, session_id, seq);
      CREATE INDEX        audit_entry_by_agent   ON audit_entry (tenant_id, agent_id, seq);
      CREATE INDEX        audit_entry_by_tool    ON audit_entry (tenant_id, tool, seq);
      CREATE INDEX        audit_entry_flagged    ON audit_entry (tenant_id, seq) WHERE flag_reason IS NOT NULL;
      -- The list by time.
      CREATE INDEX        audit_entry_by_time    ON audit_entry (tenant_id, at, seq);

      CREATE FUNCTION audit_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit entries are append-only';
      END $$;
      CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
        FOR EACH ROW EXECUTE FUNCTION audit_entry_is_append_only();
      CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_append_only();

      -- What the flag rules need to know of an agent: the times of its latest actions, and how often it used tools.
      CREATE TABLE audit_agent (
        tenant_id          text   NOT NULL,
        agent_id           text   NOT NULL,
        recent_micros      bigint[] NOT NULL,
        tool_calls         bigint NOT NULL,
        rapid_announced_at timestamptz,
        PRIMARY KEY (tenant_id, agent_id)
      ) WITH (fillfactor = 50);

      CREATE TABLE audit_agent_tool (
        tenant_id text NOT NULL,
        agent_id  text NOT NULL,
        tool      text NOT NULL,
        PRIMARY KEY (tenant_id, agent_id, tool)
      );

      -- At most one rule of a type per tenant; every tenant starts with the defaults.
      CREATE TABLE audit_rule (
        tenant_id  text        NOT NULL REFERENCES tenant,
        id         text        NOT NULL,
        type       text        NOT NULL,
        params     jsonb       NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT audit_rule_type UNIQUE (tenant_id, type),
        CONSTRAINT audit_rule_known CHECK (type IN ('rapid_fire', 'high_cost', 'unusual_tool'))
      );

      -- Sums over the entries before the mark; what came after is added when read, and moved here in the background.
      CREATE TABLE audit_rollup (
        tenant_id   text   NOT NULL,
        scope       text   NOT NULL,
        subject     text   NOT NULL,
        tool        text   NOT NULL,
        agent_id    text   NOT NULL,
        entries     bigint NOT NULL,
        flagged     bigint NOT NULL,
        cost_micros bigint NOT NULL,
        PRIMARY KEY (tenant_id, scope, subject, tool),
        CONSTRAINT audit_rollup_scope CHECK (scope IN ('agent', 'session', 'day'))
      ) WITH (fillfactor = 70);
      CREATE TABLE audit_rollup_mark (
        tenant_id text   PRIMARY KEY REFERENCES tenant,
        seq       bigint NOT NULL
      );

      -- Full tiles of 256 hashes (C2SP tlog-tiles); level 0 holds leaf hashes.
      CREATE TABLE audit_tile (
        tenant_id text    NOT NULL,
        level     integer NOT NULL,
        index     bigint  NOT NULL,
        hashes    bytea   NOT NULL,
        PRIMARY KEY (tenant_id, level, index),
        CONSTRAINT audit_tile_full CHECK (length(hashes) = 8192)
      );
      CREATE TABLE audit_checkpoint (
        tenant_id text        NOT NULL,
        tree_size bigint      NOT NULL,
        root_hash bytea       NOT NULL,
        signed_at timestamptz NOT NULL,
        signature bytea       NOT NULL,
        note      text        NOT NULL,
        PRIMARY KEY (tenant_id, tree_size)
      );
      -- The log's own Ed25519 key, its seed sealed under the tenant's key.
      CREATE TABLE audit_log_key (
        tenant_id  text        PRIMARY KEY REFERENCES tenant,
        public_key bytea       NOT NULL,
        seed       bytea       NOT NULL,
        created_at timestamptz NOT NULL
      );
    `);

    // Appends entries (a JSON array) to the logs of their tenants: takes the heads in tenant order, decides the flags
    // against the tenant's rules, links, inserts with one statement, moves the heads and announces anomalies.
    // body_hash = SHA-256(content hash from the writer || flag reason); entry_hash = SHA-256(0x00 || prev_hash || body_hash).
    await db.query(`
      CREATE FUNCTION audit_append(p_entries jsonb) RETURNS TABLE (leaf_index bigint, reason text)
      LANGUAGE plpgsql AS $$
      DECLARE
        r             record;
        v_count       integer := jsonb_array_length(p_entries);
        v_tenant      text;
        v_agent       text;
        v_flags       text[] := array_fill(NULL::text, ARRAY[v_count]);
        v_announce    boolean[] := array_fill(false, ARRAY[v_count]);
        v_seqs        bigint[] := array_fill(NULL::bigint, ARRAY[v_count]);
        v_prevs       bytea[] := array_fill(NULL::bytea, ARRAY[v_count]);
        v_bodies      bytea[] := array_fill(NULL::bytea, ARRAY[v_count]);
        v_hashes      bytea[] := array_fill(NULL::bytea, ARRAY[v_count]);
        v_rapid_max   integer;
        v_rapid_span  bigint;
        v_cost_max    bigint;
        v_tool_min    bigint;
        v_recent      bigint[];
        v_calls       bigint;
        v_announced   timestamptz;
        v_reasons     text[];
        v_rapid       boolean;
        v_dirty       boolean := false;
        v_size        bigint;
        v_hash        bytea;
        v_body        bytea;
        v_heads       integer;
      BEGIN
        PERFORM 1 FROM audit_head
          WHERE tenant_id IN (SELECT e->>'tenant_id' FROM jsonb_array_elements(p_entries) AS e)
          ORDER BY tenant_id FOR UPDATE;

        -- Flags, agent by agent.
        FOR r IN
          SELECT e.*, row_number() OVER ()::integer AS n
            FROM jsonb_to_recordset(p_entries) AS e(tenant_id text, agent_id text, source text, tool text, cost_micros bigint, micros bigint)
           ORDER BY 1, 2, 7
        LOOP
          IF v_tenant IS DISTINCT FROM r.tenant_id OR v_agent IS DISTINCT FROM r.agent_id THEN
            IF v_dirty THEN
              INSERT INTO audit_agent VALUES (v_tenant, v_agent, v_recent, v_calls, v_announced)
                ON CONFLICT (tenant_id, agent_id) DO UPDATE
                SET recent_micros = excluded.recent_micros, tool_calls = excluded.tool_calls, rapid_announced_at = excluded.rapid_announced_at;
              v_dirty := false;
            END IF;
            IF v_tenant IS DISTINCT FROM r.tenant_id THEN
              SELECT max((params->>'max_actions')::integer) FILTER (WHERE type = 'rapid_fire'),
                     max((params->>'window_seconds')::bigint * 1000000) FILTER (WHERE type = 'rapid_fire'),
                     max((params->>'max_micros')::bigint) FILTER (WHERE type = 'high_cost'),
                     max((params->>'min_tool_calls')::bigint) FILTER (WHERE type = 'unusual_tool')
                INTO v_rapid_max, v_rapid_span, v_cost_max, v_tool_min
                FROM audit_rule WHERE audit_rule.tenant_id = r.tenant_id;
            END IF;
            v_tenant := r.tenant_id;
            v_agent := r.agent_id;
            SELECT recent_micros, tool_calls, rapid_announced_at INTO v_recent, v_calls, v_announced
              FROM audit_agent WHERE audit_agent.tenant_id = v_tenant AND audit_agent.agent_id = v_agent;
            v_recent := coalesce(v_recent, '{}');
            v_calls := coalesce(v_calls, 0);
          END IF;
          v_reasons := '{}';
          v_rapid := false;
          IF r.cost_micros > v_cost_max THEN
            v_reasons := v_reasons || format('high_cost: one action over %s USD', trim_scale(v_cost_max / 1000000.0));
          END IF;
          IF r.source <> 'haldir' AND v_agent <> '' THEN
            v_dirty := true;
            IF v_rapid_max IS NOT NULL THEN
              IF cardinality(v_recent) >= v_rapid_max AND v_recent[cardinality(v_recent) - v_rapid_max + 1] > r.micros - v_rapid_span THEN
                v_rapid := true;
                v_reasons := v_reasons || format('rapid_fire: more than %s actions within %s s', v_rapid_max, v_rapid_span / 1000000);
              END IF;
              v_recent := v_recent || r.micros;
              IF cardinality(v_recent) > v_rapid_max THEN
                v_recent := v_recent[cardinality(v_recent) - v_rapid_max + 1 :];
              END IF;
            END IF;
            IF r.source IN ('agent', 'proxy') AND r.tool <> '' THEN
              INSERT INTO audit_agent_tool VALUES (v_tenant, v_agent, r.tool) ON CONFLICT DO NOTHING;
              IF FOUND AND v_calls >= v_tool_min THEN
                v_reasons := v_reasons || format('unusual_tool: not used in %s earlier tool calls', v_calls);
              END IF;
              v_calls := v_calls + 1;
            END IF;
          END IF;
          IF cardinality(v_reasons) > 0 THEN
            v_flags[r.n] := array_to_string(v_reasons, '; ');
            -- A burst is announced once a minute, whatever else is wrong always.
            v_announce[r.n] := cardinality(v_reasons) > v_rapid::integer OR v_announced IS NULL
                               OR to_timestamp(r.micros / 1000000.0) >= v_announced + interval '1 minute';
            IF v_rapid AND v_announce[r.n] THEN v_announced := to_timestamp(r.micros / 1000000.0); END IF;
          END IF;
        END LOOP;
        IF v_dirty THEN
          INSERT INTO audit_agent VALUES (v_tenant, v_agent, v_recent, v_calls, v_announced)
            ON CONFLICT (tenant_id, agent_id) DO UPDATE
            SET recent_micros = excluded.recent_micros, tool_calls = excluded.tool_calls, rapid_announced_at = excluded.rapid_announced_at;
        END IF;

        -- The chain, tenant by tenant, in the writer's order.
        v_tenant := NULL;
        FOR r IN
          SELECT e.*, row_number() OVER ()::integer AS n
            FROM jsonb_to_recordset(p_entries) AS e(tenant_id text, content_hash text)
           ORDER BY 1, 3
        LOOP
          IF v_tenant IS DISTINCT FROM r.tenant_id THEN
            IF v_tenant IS NOT NULL THEN
              UPDATE audit_head SET size = v_size, hash = v_hash WHERE audit_head.tenant_id = v_tenant;
            END IF;
            v_tenant := r.tenant_id;
            SELECT size, hash INTO STRICT v_size, v_hash FROM audit_head WHERE audit_head.tenant_id = v_tenant;
          END IF;
          v_body := sha256(decode(r.content_hash, 'hex') || convert_to(coalesce(v_flags[r.n], ''), 'UTF8'));
          v_seqs[r.n] := v_size;
          v_prevs[r.n] := v_hash;
          v_bodies[r.n] := v_body;
          v_hash := sha256('\\x00'::bytea || v_hash || v_body);
          v_hashes[r.n] := v_hash;
          v_size := v_size + 1;
        END LOOP;
        UPDATE audit_head SET size = v_size, hash = v_hash WHERE audit_head.tenant_id = v_tenant;

        INSERT INTO audit_entry (tenant_id, seq, entry_id, source, session_id, agent_id, tool, action, cost_micros, at,
                                 details, details_salt, details_hash, flag_reason, prev_hash, body_hash, entry_hash)
          SELECT e.tenant_id, l.seq, e.entry_id, e.source, e.session_id, e.agent_id, e.tool, e.action, e.cost_micros, e.at,
                 e.details, decode(e.details_salt, 'hex'), decode(e.details_hash, 'hex'), l.flag, l.prev, l.body, l.hash
            FROM ROWS FROM (
                   jsonb_to_recordset(p_entries) AS (tenant_id text, entry_id text, source text, session_id text, agent_id text, tool text,
                                                     action text, cost_micros bigint, at timestamptz, details text, details_salt text, details_hash text),
                   unnest(v_seqs), unnest(v_flags), unnest(v_prevs), unnest(v_bodies), unnest(v_hashes)
                 ) AS l(tenant_id, entry_id, source, session_id, agent_id, tool, action, cost_micros, at, details, details_salt, details_hash,
                        seq, flag, prev, body, hash)
           CROSS JOIN LATERAL (SELECT l.*) AS e;

        IF true = ANY (v_announce) THEN
          INSERT INTO outbox (tenant_id, event_id, type, data, created_at)
            SELECT e.tenant_id, 'evt_' || substr(e.entry_id, 5), 'anomaly',
                   jsonb_build_object('entry_id', e.entry_id, 'session_id', e.session_id, 'agent_id', e.agent_id, 'tool', e.tool,
                                      'action', e.action, 'reason', v_flags[e.n], 'cost_usd', trim_scale(e.cost_micros / 1000000.0)),
                   e.at
              FROM (SELECT x.*, row_number() OVER ()::integer AS n
                      FROM jsonb_to_recordset(p_entries) AS x(tenant_id text, entry_id text, session_id text, agent_id text, tool text,
                                                              action text, cost_micros bigint, at timestamptz)) AS e
             WHERE v_announce[e.n];
        END IF;

        RETURN QUERY SELECT * FROM unnest(v_seqs, v_flags);
      END $$;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP FUNCTION audit_append;
      DROP TABLE audit_log_key, audit_checkpoint, audit_tile, audit_rollup_mark, audit_rollup, audit_rule,
                 audit_agent_tool, audit_agent, audit_entry, audit_head;
      DROP FUNCTION audit_entry_is_append_only;
    `);
  }
}

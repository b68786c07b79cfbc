import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Tenants, their keys and sessions, idempotency, quotas, the outbox. */
export class Foundation1790000000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // The walls between tenants: see the migration of that name, which builds them around every table.
    await db.query(`
      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'haldir_app')    THEN CREATE ROLE haldir_app NOLOGIN;    END IF;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'haldir_system') THEN CREATE ROLE haldir_system NOLOGIN; END IF;
        -- For an installation that runs everything as its owner.
        EXECUTE format('GRANT haldir_app, haldir_system TO %I', current_user);
      END $$;

      -- Null until a statement was told: then nothing is seen.
      CREATE FUNCTION haldir_tenants() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN t <> '*' THEN nullif(t, '')::text[] END FROM current_setting('haldir.tenants', true) AS t
      $$;
      CREATE FUNCTION haldir_sees_all() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT coalesce(current_setting('haldir.tenants', true) = '*' AND pg_has_role(session_user, 'haldir_system', 'MEMBER'), false)
      $$;
      -- For the functions that run as the owner, whom no policy holds back.
      CREATE FUNCTION haldir_check_tenants(p_tenants text[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
      BEGIN
        IF NOT coalesce(p_tenants <@ haldir_tenants(), false) AND NOT haldir_sees_all() THEN
          RAISE insufficient_privilege USING MESSAGE = 'a tenant outside the wall';
        END IF;
      END $$;
    `);
    await db.query(`
      CREATE TABLE tenant (
        id          text        PRIMARY KEY,
        tier        text        NOT NULL,
        is_operator boolean     NOT NULL DEFAULT false,
        created_at  timestamptz NOT NULL,
        CONSTRAINT tenant_tier CHECK (tier IN ('free', 'pro', 'enterprise'))
      );
      -- One tenant is the operator's: of racing first calls exactly one wins.
      CREATE UNIQUE INDEX tenant_one_operator ON tenant (is_operator) WHERE is_operator;

      CREATE TABLE api_key (
        tenant_id      text        NOT NULL REFERENCES tenant,
        public_id      text        NOT NULL,
        name           text        NOT NULL,
        tier           text        NOT NULL,
        scopes         text[]      NOT NULL,
        hash           bytea       NOT NULL,
        created_at     timestamptz NOT NULL,
        last_used_at   timestamptz,
        revoked_at     timestamptz,
        PRIMARY KEY (tenant_id, public_id),
        CONSTRAINT api_key_tier CHECK (tier IN ('free', 'pro', 'enterprise'))
      );
      -- Authentication knows the public id before it knows the tenant.
      CREATE UNIQUE INDEX api_key_public_id ON api_key (public_id);

      -- Authentication knows a key before it knows the tenant: these see all keys, and answer about the ones asked for.
      CREATE FUNCTION api_key_live(p_public_ids text[])
      RETURNS TABLE (tenant_id text, public_id text, tier text, scopes text[], hash bytea, tenant_tier text, is_operator boolean)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT k.tenant_id, k.public_id, k.tier, k.scopes, k.hash, t.tier, t.is_operator
          FROM api_key k JOIN tenant t ON t.id = k.tenant_id
         WHERE k.public_id = ANY (p_public_ids) AND k.revoked_at IS NULL
      $$;
      CREATE FUNCTION api_key_any_ever() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT EXISTS (SELECT FROM api_key)
      $$;

      -- Root keys that sealed something, each with a text sealed under it, by which a process tells whether it was given the
      -- right one. A number means one key for ever.
      CREATE TABLE root_key (
        id         bigint      PRIMARY KEY,
        canary     bytea       NOT NULL,
        created_at timestamptz NOT NULL
      );

      -- Sealed keys of the installation as a whole, under a root key.
      CREATE TABLE system_key (
        name        text        PRIMARY KEY,
        root_key_id bigint      NOT NULL REFERENCES root_key,
        wrapped     bytea       NOT NULL,
        created_at  timestamptz NOT NULL
      );

      -- Sealed keys of a tenant, under a root key: the active one seals, the others open what they once sealed. Of a retired one
      -- the number is left, and no key.
      CREATE TABLE tenant_key (
        tenant_id   text        NOT NULL REFERENCES tenant,
        version     integer     NOT NULL,
        root_key_id bigint      NOT NULL REFERENCES root_key,
        wrapped     bytea       NOT NULL,
        state       text        NOT NULL DEFAULT 'active',
        created_at  timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, version),
        CONSTRAINT tenant_key_state CHECK (state IN ('active', 'decrypt_only', 'retired')),
        CONSTRAINT tenant_key_gone_when_retired CHECK ((state = 'retired') = (wrapped = ''))
      );
      CREATE UNIQUE INDEX tenant_key_one_active ON tenant_key (tenant_id) WHERE state = 'active';
      -- Which root keys are needed, and what a rotation of the root has to do.
      CREATE INDEX tenant_key_root     ON tenant_key (root_key_id, tenant_id, version) WHERE state <> 'retired';
      -- What a rotation of tenant keys has yet to empty.
      CREATE INDEX tenant_key_emptying ON tenant_key (tenant_id, version) WHERE state = 'decrypt_only';

      -- The advisory lock around a tenant's active key: shared for whoever seals, exclusive for whoever puts another in its place.
      CREATE FUNCTION tenant_key_lock(p_tenant text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT hashtextextended(p_tenant, 7247411004)
      $$;

      -- Rotations of tenant keys, of every tenant (scope '*') or of one: what was begun is finished before the next one begins.
      CREATE TABLE key_rotation (
        id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        scope       text        NOT NULL,
        started_at  timestamptz NOT NULL,
        finished_at timestamptz
      );
      CREATE UNIQUE INDEX key_rotation_one_at_a_time ON key_rotation (scope) WHERE finished_at IS NULL;

      -- The root keys without which something does not open; each is found by one step in the index.
      CREATE FUNCTION root_keys_in_use() RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        WITH RECURSIVE used(id) AS (
          SELECT min(root_key_id) FROM tenant_key WHERE state <> 'retired'
          UNION ALL
          SELECT (SELECT min(root_key_id) FROM tenant_key WHERE state <> 'retired' AND root_key_id > used.id) FROM used WHERE used.id IS NOT NULL
        )
        SELECT id FROM used WHERE id IS NOT NULL UNION SELECT root_key_id FROM system_key
      $$;

      CREATE TABLE session (
        tenant_id           text        NOT NULL REFERENCES tenant,
        id                  text        NOT NULL,
        agent_id            text        NOT NULL,
        scopes              text[]      NOT NULL,
        spend_limit_micros  bigint,
        spent_micros        bigint      NOT NULL DEFAULT 0,
        -- Set aside for payments that may still be captured.
        held_micros         bigint      NOT NULL DEFAULT 0,
        -- The highest share of the limit, in percent, that was announced.
        threshold           integer     NOT NULL DEFAULT 0,
        -- The public prefix of the key that opened it.
        opened_key          text,
        created_at          timestamptz NOT NULL,
        expires_at          timestamptz NOT NULL,
        revoked_at          timestamptz,
        expiry_announced_at timestamptz,
        budget_announced_at timestamptz,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT session_spent_within_limit CHECK (spent_micros >= 0 AND held_micros >= 0
                                                     AND (spend_limit_micros IS NULL OR spent_micros + held_micros <= spend_limit_micros)),
        CONSTRAINT session_limit_not_negative CHECK (spend_limit_micros >= 0)
      ) WITH (fillfactor = 80);
      -- The list, newest first, whole and by agent (ids are time-ordered).
      CREATE INDEX session_by_agent  ON session (tenant_id, agent_id, id);
      -- How many are live.
      CREATE INDEX session_live      ON session (tenant_id, expires_at) WHERE revoked_at IS NULL AND expiry_announced_at IS NULL;
      -- The expiry job: sessions that ended without anyone noting it.
      CREATE INDEX session_expiring  ON session (expires_at) WHERE revoked_at IS NULL AND expiry_announced_at IS NULL;

      -- Limits above the session: of the tenant in a UTC month (subject ''), of an agent in a UTC day (subject '' for every agent
      -- that has none of its own).
      CREATE TABLE budget (
        tenant_id    text        NOT NULL REFERENCES tenant,
        id           text        NOT NULL,
        scope        text        NOT NULL,
        subject      text        NOT NULL,
        limit_micros bigint      NOT NULL,
        created_at   timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT budget_one_each UNIQUE (tenant_id, scope, subject),
        CONSTRAINT budget_scope CHECK (scope IN ('tenant_month', 'agent_day')),
        CONSTRAINT budget_limit CHECK (limit_micros >= 0),
        CONSTRAINT budget_of_tenant CHECK (scope <> 'tenant_month' OR subject = '')
      );

      -- What was spent and is held under them, whether there is a limit or not, so that one set in mid-month knows the month.
      CREATE TABLE budget_usage (
        tenant_id    text    NOT NULL,
        scope        text    NOT NULL,
        subject      text    NOT NULL,
        period       text    NOT NULL,
        spent_micros bigint  NOT NULL,
        held_micros  bigint  NOT NULL,
        threshold    integer NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, scope, subject, period),
        CONSTRAINT budget_usage_not_negative CHECK (spent_micros >= 0 AND held_micros >= 0)
      ) WITH (fillfactor = 50);

      CREATE TABLE idempotency (
        tenant_id    text        NOT NULL,
        route        text        NOT NULL,
        key_hash     bytea       NOT NULL,
        fingerprint  bytea       NOT NULL,
        status       integer,
        response     bytea,
        locked_until timestamptz,
        created_at   timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, route, key_hash)
      );
      -- The purge of records older than a day.
      CREATE INDEX idempotency_age ON idempotency (created_at);

      -- Requests of one key per minute, the last 61 minutes.
      CREATE TABLE quota (
        tenant_id text   NOT NULL,
        key_id    text   NOT NULL,
        minutes   bigint[] NOT NULL,
        counts    integer[] NOT NULL,
        PRIMARY KEY (tenant_id, key_id)
      ) WITH (fillfactor = 50);

      CREATE TABLE usage_month (
        tenant_id text   NOT NULL,
        month     text   NOT NULL,
        requests  bigint NOT NULL,
        PRIMARY KEY (tenant_id, month)
      ) WITH (fillfactor = 50);

      CREATE TABLE outbox (
        id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant_id  text        NOT NULL,
        event_id   text        NOT NULL,
        type       text        NOT NULL,
        data       jsonb       NOT NULL,
        created_at timestamptz NOT NULL
      );
    `);

    // Takes up to p_want requests from the quota of each key in any 61-minute window of one-minute counts, so that no
    // hour ever holds more than the limit; answers how many were granted, and the window as it stands.
    await db.query(`
      CREATE FUNCTION quota_take(p_tenant text, p_key text, p_want integer, p_limit integer,
                                 OUT granted integer, OUT used integer, OUT oldest_minute bigint, OUT now_seconds double precision)
      LANGUAGE plpgsql AS $$
      DECLARE
        v_minute  bigint;
        v_minutes bigint[];
        v_counts  integer[];
      BEGIN
        INSERT INTO quota (tenant_id, key_id, minutes, counts) VALUES (p_tenant, p_key, '{}', '{}') ON CONFLICT DO NOTHING;
        SELECT minutes, counts INTO v_minutes, v_counts FROM quota WHERE tenant_id = p_tenant AND key_id = p_key FOR UPDATE;
        now_seconds := extract(epoch FROM clock_timestamp());
        v_minute := floor(now_seconds / 60);
        SELECT coalesce(array_agg(m ORDER BY m), '{}'), coalesce(array_agg(c ORDER BY m), '{}'), coalesce(sum(c), 0)
          INTO v_minutes, v_counts, used
          FROM unnest(v_minutes, v_counts) AS w(m, c) WHERE m >= v_minute - 60 AND c > 0;
        granted := greatest(0, least(p_want, p_limit - used));
        IF granted > 0 THEN
          IF v_minutes[cardinality(v_minutes)] = v_minute THEN
            v_counts[cardinality(v_counts)] := v_counts[cardinality(v_counts)] + granted;
          ELSE
            v_minutes := v_minutes || v_minute;
            v_counts  := v_counts || granted;
          END IF;
          used := used + granted;
          UPDATE quota SET minutes = v_minutes, counts = v_counts WHERE tenant_id = p_tenant AND key_id = p_key;
        END IF;
        oldest_minute := v_minutes[1];
      END $$;

      -- Gives back what a lease took and did not use, to the newest minute it can still be found in.
      CREATE FUNCTION quota_give_back(p_tenant text, p_key text, p_minute bigint, p_count integer) RETURNS void
      LANGUAGE sql AS $$
        UPDATE quota
           SET counts[array_position(minutes, p_minute)] = greatest(0, counts[array_position(minutes, p_minute)] - p_count)
         WHERE tenant_id = p_tenant AND key_id = p_key AND array_position(minutes, p_minute) IS NOT NULL
      $$;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP FUNCTION quota_give_back, quota_take, root_keys_in_use, tenant_key_lock, api_key_any_ever, api_key_live;
      DROP TABLE outbox, usage_month, quota, idempotency, budget_usage, budget, session, key_rotation, tenant_key, system_key, root_key, api_key, tenant;
      DROP FUNCTION haldir_check_tenants, haldir_sees_all, haldir_tenants;
    `);
  }
}

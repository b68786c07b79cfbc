import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Upstreams, their tools, and what is allowed of them. */
export class Proxy1790000000005 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE proxy_upstream (
        tenant_id        text        NOT NULL REFERENCES tenant,
        name             text        NOT NULL,
        url              text        NOT NULL,
        -- Whether agents are shown its tools as name.tool.
        prefixed         boolean     NOT NULL DEFAULT true,
        -- New with every registration, so that what was found out about an earlier one is not taken for it.
        revision         text        NOT NULL,
        -- Sealed with the address; what may be shown of them stands beside.
        headers          bytea,
        shown_headers    json        NOT NULL DEFAULT '{}',
        shown_auth       json,
        healthy          boolean     NOT NULL,
        error            text,
        -- Of the tools that there are, and of which of them can be called.
        catalogue_digest bytea,
        -- Of the list that they were taken from last.
        listed_digest    bytea,
        -- A call asks for the list again when the last question that was answered is older than this, in seconds.
        tools_max_age    integer     NOT NULL DEFAULT 20,
        confirmed_at     timestamptz,
        failures         integer     NOT NULL DEFAULT 0,
        created_at       timestamptz NOT NULL,
        last_check_at    timestamptz,
        next_check_at    timestamptz NOT NULL,
        -- When it said last that its lists have changed.
        changed_at       timestamptz,
        -- Which worker hears what it says of its own accord, and when another may take that over.
        listener         text,
        listen_at        timestamptz NOT NULL DEFAULT '-infinity',
        PRIMARY KEY (tenant_id, name),
        CONSTRAINT proxy_upstream_name    CHECK (name ~ '^[A-Za-z0-9_-]{1,64}$'),
        CONSTRAINT proxy_upstream_max_age CHECK (tools_max_age BETWEEN 0 AND 300)
      );
      -- The health job: who is due.
      CREATE INDEX proxy_upstream_due ON proxy_upstream (next_check_at);
      -- The workers: whom nobody hears.
      CREATE INDEX proxy_upstream_unheard ON proxy_upstream (listen_at);

      CREATE TABLE proxy_tool (
        tenant_id   text    NOT NULL,
        upstream    text    NOT NULL,
        name        text    NOT NULL,
        destructive boolean NOT NULL,
        -- As the upstream gave it and it was accepted, and its SHA-256.
        definition  json    NOT NULL,
        fingerprint bytea   NOT NULL,
        -- Not offered at present; kept, so that it comes back as it was or not at all.
        gone        boolean NOT NULL DEFAULT false,
        -- What the upstream gives instead, for which the tool is held back.
        pending             json,
        pending_fingerprint bytea,
        drifted_at          timestamptz,
        -- Arguments that requests repeat as headers (x-mcp-header).
        mirrored    json    NOT NULL DEFAULT '[]',
        -- Whether a call is made once more whose connection broke (idempotentHint, readOnlyHint).
        repeatable  boolean NOT NULL DEFAULT false,
        PRIMARY KEY (tenant_id, upstream, name),
        CONSTRAINT proxy_tool_fingerprint CHECK (length(fingerprint) = 32 AND length(pending_fingerprint) = 32),
        CONSTRAINT proxy_tool_drift CHECK ((pending IS NULL) = (pending_fingerprint IS NULL) AND (pending IS NULL) = (drifted_at IS NULL)),
        CONSTRAINT proxy_tool_gone  CHECK (NOT (gone AND pending IS NOT NULL)),
        CONSTRAINT proxy_tool_upstream FOREIGN KEY (tenant_id, upstream) REFERENCES proxy_upstream ON DELETE CASCADE
      );
      -- A tool called by its bare name.
      CREATE INDEX proxy_tool_by_name ON proxy_tool (tenant_id, name);
      -- What waits to be accepted.
      CREATE INDEX proxy_tool_drifted ON proxy_tool (tenant_id, upstream, name) WHERE pending IS NOT NULL;

      -- The resources, templates and prompts of an upstream, and the SHA-256 of all of them together.
      CREATE TABLE proxy_offering (
        tenant_id text  NOT NULL,
        upstream  text  NOT NULL,
        digest    bytea NOT NULL,
        offers    json  NOT NULL,
        PRIMARY KEY (tenant_id, upstream),
        CONSTRAINT proxy_offering_upstream FOREIGN KEY (tenant_id, upstream) REFERENCES proxy_upstream ON DELETE CASCADE
      );

      -- Sums over the calls to an upstream; beside it, because they are written every second and it is read with every call.
      CREATE TABLE proxy_traffic (
        tenant_id  text             NOT NULL,
        upstream   text             NOT NULL,
        calls      bigint           NOT NULL,
        errors     bigint           NOT NULL,
        -- Answers of tools that say isError.
        tool_errors bigint          NOT NULL DEFAULT 0,
        latency_ms double precision NOT NULL,
        PRIMARY KEY (tenant_id, upstream),
        CONSTRAINT proxy_traffic_upstream FOREIGN KEY (tenant_id, upstream) REFERENCES proxy_upstream ON DELETE CASCADE
      ) WITH (fillfactor = 50);

      -- What each call of a tool costs; whatever its upstream says of the tool.
      CREATE TABLE proxy_tool_price (
        tenant_id    text   NOT NULL,
        upstream     text   NOT NULL,
        tool         text   NOT NULL,
        price_micros bigint NOT NULL,
        PRIMARY KEY (tenant_id, upstream, tool),
        CONSTRAINT proxy_tool_price_upstream FOREIGN KEY (tenant_id, upstream) REFERENCES proxy_upstream ON DELETE CASCADE,
        -- Whole cents: the smallest that is paid in.
        CONSTRAINT proxy_tool_price_cents CHECK (price_micros > 0 AND price_micros % 10000 = 0)
      );

      CREATE TABLE proxy_policy (
        tenant_id  text        NOT NULL REFERENCES tenant,
        id         text        NOT NULL,
        type       text        NOT NULL,
        params     jsonb       NOT NULL,
        created_at timestamptz NOT NULL,
        -- log_only: rehearsed, not enforced.
        mode       text        NOT NULL DEFAULT 'enforce',
        -- Patterns of upstreams, agents and tools; an empty list means all.
        scope      jsonb       NOT NULL DEFAULT '{"upstreams": [], "agents": [], "tools": []}',
        -- The higher is named first.
        priority   integer     NOT NULL DEFAULT 0,
        -- Also the order in which policies of one priority are named, and all are listed (ids are time-ordered).
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT proxy_policy_known CHECK (type IN ('block_tool', 'allow_list', 'deny_list', 'spend_limit', 'rate_limit', 'time_window', 'require_approval')),
        CONSTRAINT proxy_policy_mode CHECK (mode IN ('enforce', 'log_only'))
      );

      -- When an agent's calls of the last minute were let through, per policy: times in ms with the number of calls at each.
      CREATE TABLE proxy_rate (
        tenant_id  text        NOT NULL,
        policy_id  text        NOT NULL,
        agent_id   text        NOT NULL,
        times      bigint[]    NOT NULL,
        counts     integer[]   NOT NULL,
        touched_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, policy_id, agent_id),
        CONSTRAINT proxy_rate_policy FOREIGN KEY (tenant_id, policy_id) REFERENCES proxy_policy ON DELETE CASCADE
      ) WITH (fillfactor = 50);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'DROP TABLE proxy_rate, proxy_policy, proxy_tool_price, proxy_traffic, proxy_offering, proxy_tool, proxy_upstream',
    );
  }
}

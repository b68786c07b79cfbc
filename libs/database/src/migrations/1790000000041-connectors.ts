import { type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLES = ['connector_lease', 'connector_exchange', 'connector_part'];

/** Keys of connectors, and what passes between those that ask an upstream and the connector that has it. */
export class Connectors1790000000041 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Of a connector key, the one upstream that it stands for, and the secrets that it may read.
      ALTER TABLE api_key
        ADD COLUMN connector_upstream text,
        ADD COLUMN connector_secrets  text[],
        DROP CONSTRAINT api_key_kind,
        ADD CONSTRAINT api_key_kind CHECK (kind IN ('key', 'agent', 'connector')),
        ADD CONSTRAINT api_key_connector CHECK (
          num_nonnulls(connector_upstream, connector_secrets) = CASE kind WHEN 'connector' THEN 2 ELSE 0 END);

      DROP FUNCTION api_key_live;

      -- A process that has the upstream, until it says so no more. Rows stay for a while, for who asks when it was there last.
      CREATE TABLE connector_lease (
        tenant_id   text        NOT NULL,
        upstream    text COLLATE "C" NOT NULL,
        -- New with every start of the process.
        instance    text COLLATE "C" NOT NULL,
        -- The public id of the key it was made with, or renewed last.
        key_id      text        NOT NULL,
        -- Whether each session has a server to itself.
        per_session boolean     NOT NULL,
        -- By the clock of the database, like all times here.
        renewed_at  timestamptz NOT NULL,
        ends_at     timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, upstream, instance)
      ) WITH (fillfactor = 50);

      -- One HTTP request to the upstream and its answer, while somebody waits for it. Not logged: after a crash of the database
      -- nothing of it is there, so nothing is sent twice, and whoever waits learns that.
      CREATE UNLOGGED TABLE connector_exchange (
        tenant_id  text        NOT NULL,
        id         text COLLATE "C" NOT NULL,
        upstream   text COLLATE "C" NOT NULL,
        -- The instance that has the session it is in; null for any.
        wanted     text COLLATE "C",
        -- The instance that was given it. It is given to one, once.
        claimed_by text COLLATE "C",
        -- The request; null once it was given away.
        sealed     bytea,
        bytes      integer     NOT NULL,
        ends_at    timestamptz NOT NULL,
        -- Nobody waits for it any more; goes once the connector was told.
        cancelled  boolean     NOT NULL DEFAULT false,
        PRIMARY KEY (tenant_id, id)
      -- Every row is removed after moments.
      ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
              autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000);
      ALTER TABLE connector_exchange ALTER COLUMN sealed SET STORAGE EXTERNAL;
      -- What waits for a connector.
      CREATE INDEX connector_exchange_waiting ON connector_exchange (tenant_id, upstream, id) WHERE claimed_by IS NULL;
      -- What a connector is to be told of.
      CREATE INDEX connector_exchange_cancelled ON connector_exchange (tenant_id, upstream) WHERE cancelled;

      -- What has come of an answer and was not taken yet.
      CREATE UNLOGGED TABLE connector_part (
        tenant_id   text        NOT NULL,
        exchange_id text COLLATE "C" NOT NULL,
        seq         integer     NOT NULL,
        sealed      bytea       NOT NULL,
        last        boolean     NOT NULL,
        -- Nobody takes it later.
        ends_at     timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, exchange_id, seq),
        CONSTRAINT connector_part_seq CHECK (seq >= 0)
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
              autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000);
      ALTER TABLE connector_part ALTER COLUMN sealed SET STORAGE EXTERNAL;
    `);
    await db.query(liveKeys(', connector_upstream text, connector_secrets text[]'));
    for (const table of TABLES) {
      await db.query(`
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO haldir_app;
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant_wall ON ${table} TO haldir_app
          USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
      `);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TABLE ${TABLES.join(', ')};
      DROP FUNCTION api_key_live;
      DELETE FROM api_key WHERE kind = 'connector';
      ALTER TABLE api_key
        DROP CONSTRAINT api_key_connector,
        DROP CONSTRAINT api_key_kind,
        DROP COLUMN connector_secrets,
        DROP COLUMN connector_upstream,
        ADD CONSTRAINT api_key_kind CHECK (kind IN ('key', 'agent'));
    `);
    await db.query(liveKeys(''));
  }
}

/**
 * With the session that an agent key goes on with, and when that ends; null unless it is live but for its time.
 *
 * @param more columns of keys, each with its type
 */
function liveKeys(more: string): string {
  const columns = more.split(', ').flatMap((column) => (column === '' ? [] : [`, k.${column.split(' ')[0]}`]));
  return `
      CREATE FUNCTION api_key_live(p_public_ids text[])
      RETURNS TABLE (tenant_id text, public_id text, tier text, scopes text[], hash bytea, tenant_tier text, is_operator boolean,
                     kind text, agent_id text, agent_scopes text[], agent_ttl_seconds integer, agent_spend_limit_micros bigint,
                     agent_spend_period text, agent_upstreams text[], principal_id text, expires_at timestamptz, mac bytea,
                     session_id text, session_expires_at timestamptz, agent_catalogue text${more})
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT k.tenant_id, k.public_id, k.tier, k.scopes, k.hash, t.tier, t.is_operator,
               k.kind, k.agent_id, k.agent_scopes, k.agent_ttl_seconds, k.agent_spend_limit_micros, k.agent_spend_period,
               k.agent_upstreams, k.principal_id, k.expires_at, k.mac, s.id, s.expires_at, k.agent_catalogue${columns.join('')}
          FROM api_key k JOIN tenant t ON t.id = k.tenant_id
          LEFT JOIN agent_session c ON k.kind = 'agent' AND c.tenant_id = k.tenant_id AND c.key_id = k.principal_id
          LEFT JOIN session s ON s.tenant_id = c.tenant_id AND s.id = c.session_id AND s.revoked_at IS NULL
         WHERE k.public_id = ANY (p_public_ids) AND k.revoked_at IS NULL
      $$;
    `;
}

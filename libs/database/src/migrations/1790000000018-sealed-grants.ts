import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** MACs over what keys and sessions grant; principals, and the end of keys. */
export class SealedGrants1790000000018 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE api_key
        ADD COLUMN mac bytea,
        -- The public prefix of the first key of the principal: what replaces a key is the same one.
        ADD COLUMN principal_id text,
        ADD COLUMN expires_at timestamptz,
        ADD COLUMN expiry_announced_at timestamptz;
      UPDATE api_key SET principal_id = 'hld_' || public_id;
      ALTER TABLE api_key ALTER COLUMN principal_id SET NOT NULL;
      ALTER TABLE session ADD COLUMN mac bytea;
      -- Rows that are there are given theirs with the root keys, once, after the migrations. Where there are none, nothing is to be done.
      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM api_key) AND NOT EXISTS (SELECT FROM session) THEN
          ALTER TABLE api_key ALTER COLUMN mac SET NOT NULL;
          ALTER TABLE session ALTER COLUMN mac SET NOT NULL;
        END IF;
      END $$;
      -- The job that tells of keys that end soon.
      CREATE INDEX api_key_ending ON api_key (expires_at) WHERE expires_at IS NOT NULL AND expiry_announced_at IS NULL AND revoked_at IS NULL;

      DROP FUNCTION api_key_live;
      -- With the session that an agent key goes on with, and when that ends; null unless it is live but for its time.
      CREATE FUNCTION api_key_live(p_public_ids text[])
      RETURNS TABLE (tenant_id text, public_id text, tier text, scopes text[], hash bytea, tenant_tier text, is_operator boolean,
                     kind text, agent_id text, agent_scopes text[], agent_ttl_seconds integer, agent_spend_limit_micros bigint,
                     agent_spend_period text, agent_upstreams text[], principal_id text, expires_at timestamptz, mac bytea,
                     session_id text, session_expires_at timestamptz)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT k.tenant_id, k.public_id, k.tier, k.scopes, k.hash, t.tier, t.is_operator,
               k.kind, k.agent_id, k.agent_scopes, k.agent_ttl_seconds, k.agent_spend_limit_micros, k.agent_spend_period,
               k.agent_upstreams, k.principal_id, k.expires_at, k.mac, s.id, s.expires_at
          FROM api_key k JOIN tenant t ON t.id = k.tenant_id
          LEFT JOIN agent_session c ON k.kind = 'agent' AND c.tenant_id = k.tenant_id AND c.key_id = k.principal_id
          LEFT JOIN session s ON s.tenant_id = c.tenant_id AND s.id = c.session_id AND s.revoked_at IS NULL
         WHERE k.public_id = ANY (p_public_ids) AND k.revoked_at IS NULL
      $$;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP FUNCTION api_key_live;
      ALTER TABLE session DROP COLUMN mac;
      ALTER TABLE api_key DROP COLUMN expiry_announced_at, DROP COLUMN expires_at, DROP COLUMN principal_id, DROP COLUMN mac;
    `);
  }
}

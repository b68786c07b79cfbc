import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Tools are found by words, and sessions may have their upstreams' tools searched rather than listed. */
export class SearchedCatalogues1790000000040 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(String.raw`
      -- With spaces for all of ASCII that is neither letter nor digit.
      CREATE FUNCTION words_of_text(p_text text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN btrim(regexp_replace(p_text COLLATE "C", '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+', ' ', 'g'));
      -- readFile is found by "read", "file" and "readfile".
      CREATE FUNCTION words_of_name(p_name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN words_of_text(p_name || ' ' || regexp_replace(regexp_replace(p_name COLLATE "C",
                 '([a-z0-9])([A-Z])', '\1 \2', 'g'), '([A-Z]+)([A-Z][a-z])', '\1 \2', 'g'));
      -- Without what JSON can write and no text can hold.
      CREATE FUNCTION readable_json(p_json json) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN CASE WHEN position('\u' IN p_json::text) = 0 THEN p_json
                    ELSE regexp_replace(p_json::text, '(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\1 ', 'g')::json END;
      -- The name weighs most, then what is said of the tool, then its upstream and the names of its parameters. Stop words count in names
      -- only, so that who_am_i is found by its own.
      CREATE FUNCTION tool_search(p_upstream text, p_name text, p_definition json) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN (
          SELECT setweight(to_tsvector('english'::regconfig, words_of_name(p_name)) || to_tsvector('simple'::regconfig, words_of_name(p_name)), 'A')
              || setweight(to_tsvector('english'::regconfig, words_of_text(left(coalesce(d.json ->> 'title', '') || ' ' || coalesce(d.json ->> 'description', ''), 1000))), 'B')
              || setweight(to_tsvector('english'::regconfig, words_of_name(p_upstream || ' ' || left(coalesce(
                   (SELECT string_agg(parameter, ' ')
                      FROM json_object_keys(CASE WHEN json_typeof(d.json -> 'inputSchema' -> 'properties') = 'object'
                                                 THEN d.json -> 'inputSchema' -> 'properties' END) AS parameter), ''), 1000))), 'C')
            FROM (SELECT readable_json(p_definition) AS json) AS d);
      ALTER TABLE proxy_tool ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (tool_search(upstream, name, definition)) STORED;

      ALTER TABLE session ADD COLUMN catalogue text NOT NULL DEFAULT 'full'
        CONSTRAINT session_catalogue CHECK (catalogue IN ('full', 'search'));
      -- Of sessions that an agent key opens, where nothing else is asked for; null for the whole list.
      ALTER TABLE api_key ADD COLUMN agent_catalogue text
        CONSTRAINT api_key_agent_catalogue CHECK (agent_catalogue IN ('full', 'search'));

      DROP FUNCTION api_key_live;
    `);
    await db.query(liveKeys('agent_catalogue'));
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP FUNCTION api_key_live');
    await db.query(liveKeys());
    await db.query(`
      ALTER TABLE api_key DROP COLUMN agent_catalogue;
      ALTER TABLE session DROP COLUMN catalogue;
      ALTER TABLE proxy_tool DROP COLUMN search;
      DROP FUNCTION tool_search, readable_json, words_of_name, words_of_text;
    `);
  }
}

/** With the session that an agent key goes on with, and when that ends; null unless it is live but for its time. */
function liveKeys(...more: string[]): string {
  return `
      CREATE FUNCTION api_key_live(p_public_ids text[])
      RETURNS TABLE (tenant_id text, public_id text, tier text, scopes text[], hash bytea, tenant_tier text, is_operator boolean,
                     kind text, agent_id text, agent_scopes text[], agent_ttl_seconds integer, agent_spend_limit_micros bigint,
                     agent_spend_period text, agent_upstreams text[], principal_id text, expires_at timestamptz, mac bytea,
                     session_id text, session_expires_at timestamptz${more.map((column) => `, ${column} text`).join('')})
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT k.tenant_id, k.public_id, k.tier, k.scopes, k.hash, t.tier, t.is_operator,
               k.kind, k.agent_id, k.agent_scopes, k.agent_ttl_seconds, k.agent_spend_limit_micros, k.agent_spend_period,
               k.agent_upstreams, k.principal_id, k.expires_at, k.mac, s.id, s.expires_at${more.map((column) => `, k.${column}`).join('')}
          FROM api_key k JOIN tenant t ON t.id = k.tenant_id
          LEFT JOIN agent_session c ON k.kind = 'agent' AND c.tenant_id = k.tenant_id AND c.key_id = k.principal_id
          LEFT JOIN session s ON s.tenant_id = c.tenant_id AND s.id = c.session_id AND s.revoked_at IS NULL
         WHERE k.public_id = ANY (p_public_ids) AND k.revoked_at IS NULL
      $$;
    `;
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Each tool under a name that the APIs of models take: `^[a-zA-Z0-9_-]{1,64}$`. `model_name` reads best, but two tools may have the
 * same one, and it may be too long; `hashed_name` ends in eight hex digits of the SHA-256 of the full name.
 */
export class ModelNames1790000000034 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- With bodies that know what they call: a dump is restored with no search path.
      CREATE FUNCTION tool_model_name(p_upstream text, p_tool text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN regexp_replace(p_upstream || '__' || p_tool, '[^A-Za-z0-9_-]', '_', 'g');
      CREATE FUNCTION tool_hashed_name(p_upstream text, p_tool text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN left(tool_model_name(p_upstream, p_tool), 55) || '_'
            || left(encode(sha256(convert_to(p_upstream || '.' || p_tool, 'UTF8')), 'hex'), 8);
      ALTER TABLE proxy_tool
        ADD COLUMN model_name text NOT NULL GENERATED ALWAYS AS (tool_model_name(upstream, name)) STORED,
        ADD COLUMN hashed_name text NOT NULL GENERATED ALWAYS AS (tool_hashed_name(upstream, name)) STORED;
      CREATE INDEX proxy_tool_model_name ON proxy_tool (tenant_id, model_name);
      CREATE INDEX proxy_tool_hashed_name ON proxy_tool (tenant_id, hashed_name);
      ALTER TABLE proxy_upstream ADD COLUMN separator text NOT NULL DEFAULT '__'
        CONSTRAINT proxy_upstream_separator CHECK (separator IN ('__', '.'));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE proxy_upstream DROP COLUMN separator;
      ALTER TABLE proxy_tool DROP COLUMN model_name, DROP COLUMN hashed_name;
      DROP FUNCTION tool_hashed_name;
      DROP FUNCTION tool_model_name;
    `);
  }
}

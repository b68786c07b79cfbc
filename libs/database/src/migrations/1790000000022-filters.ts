import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What lists are filtered by. Of an entry it is read from what was written, so it holds for every entry at once, and ends with what is erased. */
export class Filters1790000000022 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- The id that is a member of the details which Haldir wrote of an entry; null where there is none. Members stay undecoded: of
      -- another there may be what Postgres decodes to no text (NUL).
      CREATE FUNCTION audit_rule_in(p_source text, p_details text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        IF p_source = 'agent' OR p_details IS NULL OR (strpos(p_details, '"policy_id"') = 0 AND strpos(p_details, '"rule_id"') = 0) THEN RETURN NULL; END IF;
        BEGIN
          RETURN substring(coalesce((p_details::json -> 'policy_id')::text, (p_details::json -> 'rule_id')::text) FROM '^"([A-Za-z0-9_.-]{1,64})"$');
        EXCEPTION WHEN data_exception THEN
          RETURN NULL;
        END;
      END $$;

      ALTER TABLE audit_entry
        -- Actions are too long for an index.
        ADD COLUMN action_hash bigint NOT NULL GENERATED ALWAYS AS (hashtextextended(action, 0)) STORED,
        -- Of calls, reads and prompts: before the first dot of the name.
        ADD COLUMN upstream text GENERATED ALWAYS AS (CASE WHEN source = 'proxy' AND strpos(tool, '.') BETWEEN 2 AND 65 THEN split_part(tool, '.', 1) END) STORED,
        -- What was decided about a call, read or prompt: what its details begin with, but for the id of the entry that a late one is about.
        ADD COLUMN decision text GENERATED ALWAYS AS (
          CASE WHEN source = 'proxy' THEN substring(left(details, 200) FROM '^\\{(?:"entry_id":"[^"]*",)?"decision":"([a-z_]*)"') END) STORED,
        -- The policy, or else the approval rule, that decided; of their own changes, the one that was changed.
        ADD COLUMN rule text GENERATED ALWAYS AS (audit_rule_in(source, details)) STORED;

      -- The list by each of them, newest first.
      CREATE INDEX audit_entry_by_action   ON audit_entry (tenant_id, action_hash, seq);
      CREATE INDEX audit_entry_by_actor    ON audit_entry (tenant_id, actor_id, seq) WHERE actor_id IS NOT NULL;
      CREATE INDEX audit_entry_by_upstream ON audit_entry (tenant_id, upstream, seq) WHERE upstream IS NOT NULL;
      -- Most calls are allowed.
      CREATE INDEX audit_entry_by_decision ON audit_entry (tenant_id, decision, seq) WHERE decision <> 'allowed';
      CREATE INDEX audit_entry_by_rule     ON audit_entry (tenant_id, rule, seq)     WHERE rule IS NOT NULL;

      -- As before; what is read from the details goes with them. Of a new row, Postgres reads it after this.
      CREATE OR REPLACE FUNCTION audit_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'UPDATE' AND NEW.details IS NULL AND NEW.details_salt IS NULL AND NEW.context IS NULL AND NEW.context_salt IS NULL
           AND (OLD.details IS NOT NULL OR OLD.context IS NOT NULL) THEN
          OLD.details := NULL;
          OLD.details_salt := NULL;
          OLD.context := NULL;
          OLD.context_salt := NULL;
          OLD.action_hash := NEW.action_hash;
          OLD.upstream := NEW.upstream;
          OLD.decision := NEW.decision;
          OLD.rule := NEW.rule;
          IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'audit entries are append-only';
      END $$;

      -- The policy or approval rule that asked; null for a request that an agent made of its own accord, and for earlier ones.
      ALTER TABLE approval_request ADD COLUMN rule_id text;
      CREATE INDEX approval_request_by_rule ON approval_request (tenant_id, rule_id, id) WHERE rule_id IS NOT NULL;

      -- Sessions by who opened them, and requests by tool, newest first.
      CREATE INDEX session_by_opener        ON session (tenant_id, opened_key, id) WHERE opened_key IS NOT NULL;
      CREATE INDEX approval_request_by_tool ON approval_request (tenant_id, tool, id);
      -- Keys of an agent, oldest first.
      CREATE INDEX api_key_by_agent         ON api_key (tenant_id, agent_id, created_at, public_id) WHERE agent_id IS NOT NULL;
    `);
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('the lists would be filtered without the columns'));
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Calls that have left, or are about to, and are not in the log yet; and which processes still answer for theirs. */
export class StartedCalls1790000000012 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- A process that makes calls renews its row; once it has ended, others write down what the process did not.
      CREATE TABLE process_lease (
        process_id text        PRIMARY KEY,
        -- By the clock of the database.
        ends_at    timestamptz NOT NULL
      ) WITH (fillfactor = 50);

      -- Written before the first byte of a call leaves, and removed in the transaction that writes its entry: whoever removes the
      -- row writes the entry. Without an index on the process, whose rows are looked for only once its lease has ended.
      CREATE TABLE started_call (
        tenant_id  text        NOT NULL,
        -- That of the entry.
        entry_id   text        NOT NULL,
        process_id text        NOT NULL,
        -- The entry as it is when nobody learns what became of the call.
        entry      json        NOT NULL,
        -- The price that is held for it.
        payment_id text,
        -- The Idempotency-Key it was made under.
        claim      json,
        started_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, entry_id)
      -- Every row is removed after moments.
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0,
              autovacuum_analyze_threshold = 1000000);

      -- Removes the rows of calls whose entries follow in the same statement; null stands for an entry without a row. Answers the
      -- tenants as they were given, so that a statement can pass them on and is sure of the order: rows are locked before logs.
      CREATE FUNCTION started_call_end(p_tenants text[], p_entries text[]) RETURNS text[]
      LANGUAGE plpgsql
      SET plan_cache_mode = force_generic_plan
      SET enable_seqscan = off
      SET enable_hashjoin = off
      SET enable_mergejoin = off
      AS $$
      DECLARE
        v_removed integer;
      BEGIN
        DELETE FROM started_call s USING unnest(p_tenants, p_entries) AS e(tenant_id, entry_id)
         WHERE s.tenant_id = e.tenant_id AND s.entry_id = e.entry_id;
        GET DIAGNOSTICS v_removed = ROW_COUNT;
        IF v_removed < cardinality(array_remove(p_entries, NULL)) THEN
          RAISE SQLSTATE 'P0H01' USING MESSAGE = 'the entry of the call was written by another';
        END IF;
        RETURN p_tenants;
      END $$;

      ALTER TABLE started_call ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON started_call TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
      GRANT SELECT, INSERT, DELETE ON started_call TO haldir_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON process_lease TO haldir_app;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP FUNCTION started_call_end; DROP TABLE started_call, process_lease');
  }
}

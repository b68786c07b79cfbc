import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Quotas of keys and of their tenant together, in windows of an hour to the second; whether there is an operator. */
export class QuotaOfTenants1790000000010 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP FUNCTION quota_give_back, quota_take, api_key_any_ever;

      -- Requests of the last hour in buckets of a minute: of each principal, and (principal_id '') of the tenant as a whole.
      -- A bucket has the time of the last request in it, and leaves the window when that does.
      ALTER TABLE quota RENAME COLUMN key_id TO principal_id;
      ALTER TABLE quota ADD COLUMN times double precision[] NOT NULL DEFAULT '{}';
      UPDATE quota SET principal_id = 'hld_' || principal_id, times = ARRAY(SELECT m * 60 + 59 FROM unnest(minutes) WITH ORDINALITY AS w(m, i) ORDER BY i);
      ALTER TABLE quota DROP COLUMN minutes;

      -- Takes up to p_want requests from a principal's quota and its tenant's, so that no hour holds more than either limit;
      -- answers how many were granted, and both windows as they stand. p_lease: for how many seconds they may be spent.
      CREATE FUNCTION quota_take(p_tenant text, p_principal text, p_want integer, p_limit integer, p_tenant_limit integer, p_lease double precision,
                                 OUT granted integer, OUT used integer, OUT oldest double precision,
                                 OUT tenant_used integer, OUT tenant_oldest double precision, OUT now_seconds double precision)
      LANGUAGE plpgsql AS $$
      DECLARE
        v_until   double precision;
        v_times   double precision[];
        v_counts  integer[];
        v_times_t  double precision[];
        v_counts_t integer[];
      BEGIN
        -- The tenant's row first, everywhere, so that racing requests queue up and never deadlock.
        FOR i IN 1..2 LOOP
          SELECT times, counts INTO v_times_t, v_counts_t FROM quota WHERE tenant_id = p_tenant AND principal_id = '' FOR UPDATE;
          SELECT times, counts INTO v_times, v_counts FROM quota WHERE tenant_id = p_tenant AND principal_id = p_principal FOR UPDATE;
          EXIT WHEN v_times_t IS NOT NULL AND v_times IS NOT NULL;
          INSERT INTO quota (tenant_id, principal_id, counts) VALUES (p_tenant, '', '{}'), (p_tenant, p_principal, '{}') ON CONFLICT DO NOTHING;
        END LOOP;
        now_seconds := extract(epoch FROM clock_timestamp());
        v_until := now_seconds + p_lease;
        SELECT coalesce(array_agg(t ORDER BY t), '{}'), coalesce(array_agg(c ORDER BY t), '{}'), coalesce(sum(c), 0)
          INTO v_times_t, v_counts_t, tenant_used FROM unnest(v_times_t, v_counts_t) AS w(t, c) WHERE t > now_seconds - 3600 AND c > 0;
        SELECT coalesce(array_agg(t ORDER BY t), '{}'), coalesce(array_agg(c ORDER BY t), '{}'), coalesce(sum(c), 0)
          INTO v_times, v_counts, used FROM unnest(v_times, v_counts) AS w(t, c) WHERE t > now_seconds - 3600 AND c > 0;
        granted := greatest(0, least(p_want, p_limit - used, p_tenant_limit - tenant_used));
        IF granted > 0 THEN
          used := used + granted;
          tenant_used := tenant_used + granted;
          IF floor(v_times_t[cardinality(v_times_t)] / 60) = floor(v_until / 60) THEN
            v_counts_t[cardinality(v_counts_t)] := v_counts_t[cardinality(v_counts_t)] + granted;
            v_times_t[cardinality(v_times_t)] := greatest(v_times_t[cardinality(v_times_t)], v_until);
          ELSE
            v_times_t := v_times_t || v_until;
            v_counts_t := v_counts_t || granted;
          END IF;
          IF floor(v_times[cardinality(v_times)] / 60) = floor(v_until / 60) THEN
            v_counts[cardinality(v_counts)] := v_counts[cardinality(v_counts)] + granted;
            v_times[cardinality(v_times)] := greatest(v_times[cardinality(v_times)], v_until);
          ELSE
            v_times := v_times || v_until;
            v_counts := v_counts || granted;
          END IF;
          UPDATE quota SET times = v_times_t, counts = v_counts_t WHERE tenant_id = p_tenant AND principal_id = '';
          UPDATE quota SET times = v_times, counts = v_counts WHERE tenant_id = p_tenant AND principal_id = p_principal;
        END IF;
        oldest := v_times[1];
        tenant_oldest := v_times_t[1];
      END $$;

      -- Gives back what a lease took and did not use, to the buckets of its minute.
      CREATE FUNCTION quota_give_back(p_tenant text, p_principal text, p_minute bigint, p_count integer) RETURNS void
      LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM FROM quota WHERE tenant_id = p_tenant AND principal_id = '' FOR UPDATE;
        UPDATE quota
           SET counts = ARRAY(SELECT CASE WHEN floor(t / 60) = p_minute THEN greatest(0, c - p_count) ELSE c END
                                FROM unnest(times, counts) WITH ORDINALITY AS w(t, c, i) ORDER BY i)
         WHERE tenant_id = p_tenant AND principal_id IN ('', p_principal);
      END $$;

      -- For the first key of all: nobody is known by then, so nobody's rows are seen.
      CREATE FUNCTION operator_exists() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT EXISTS (SELECT FROM tenant WHERE is_operator)
      $$;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP FUNCTION operator_exists, quota_give_back, quota_take;
      DROP TABLE quota;
    `);
  }
}

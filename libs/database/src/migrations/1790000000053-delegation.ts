import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Sessions that are opened from sessions. */
export class Delegation1790000000053 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE session
        -- The sessions that it descends from, the first one first and its parent last; empty for one that was opened from none.
        ADD COLUMN lineage          text[]  NOT NULL DEFAULT '{}',
        -- Held for the sessions that were opened from it: what one may spend that is not over, and of one that is, what it spent and what
        -- it still holds. Nothing where there is no limit to hold it of.
        ADD COLUMN delegated_micros bigint  NOT NULL DEFAULT 0,
        -- How many descend from it, through others too, and are not noted to be over.
        ADD COLUMN descendants      integer NOT NULL DEFAULT 0,
        DROP CONSTRAINT session_spent_within_limit,
        ADD CONSTRAINT session_spent_within_limit CHECK (
          spent_micros >= 0 AND held_micros >= 0 AND delegated_micros >= 0
          AND (spend_limit_micros IS NULL OR spent_micros + held_micros + delegated_micros <= spend_limit_micros)),
        ADD CONSTRAINT session_descendants_not_negative CHECK (descendants >= 0);
      -- Those that end with one: of its tree, by the first of the lineage.
      CREATE INDEX session_tree ON session (tenant_id, (lineage[1]))
        WHERE lineage <> '{}' AND revoked_at IS NULL AND expiry_announced_at IS NULL;

      DO $do$ BEGIN
        EXECUTE 'CREATE OR REPLACE VIEW payment_fault WITH (security_invoker = true) AS ' || rtrim(pg_get_viewdef('payment_fault'::regclass), ';') || $view$
          UNION ALL
          SELECT p.tenant_id, 'session', p.id, 'what is delegated is not what those opened from it may spend, or have'
            FROM session p
            LEFT JOIN (SELECT tenant_id, lineage[cardinality(lineage)] AS id,
                              sum(CASE WHEN revoked_at IS NULL AND expiry_announced_at IS NULL THEN spend_limit_micros
                                       ELSE spent_micros + held_micros + delegated_micros END) AS micros
                         FROM session WHERE lineage <> '{}' GROUP BY 1, 2) c ON c.tenant_id = p.tenant_id AND c.id = p.id
           WHERE p.delegated_micros <> CASE WHEN p.spend_limit_micros IS NULL THEN 0 ELSE coalesce(c.micros, 0) END
          UNION ALL
          SELECT p.tenant_id, 'session', p.id, 'more or fewer descend from it than it says'
            FROM session p
            LEFT JOIN (SELECT s.tenant_id, a.id, count(*) AS living FROM session s CROSS JOIN LATERAL unnest(s.lineage) AS a(id)
                        WHERE s.revoked_at IS NULL AND s.expiry_announced_at IS NULL GROUP BY 1, 2) c ON c.tenant_id = p.tenant_id AND c.id = p.id
           WHERE p.descendants <> coalesce(c.living, 0)
          UNION ALL
          SELECT s.tenant_id, 'session', s.id, 'it outlives one that it descends from'
            FROM session s CROSS JOIN LATERAL unnest(s.lineage) AS l(id) JOIN session a ON a.tenant_id = s.tenant_id AND a.id = l.id
           WHERE s.expires_at > a.expires_at OR (s.revoked_at IS NULL AND s.expiry_announced_at IS NULL AND s.expires_at > a.revoked_at)
        $view$;
      END $do$;
    `);
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('sessions that were opened from others would be bound by none'));
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** An upstream that fails or is slow is left alone for a while, by all processes. */
export class UpstreamCircuit1790000000038 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE proxy_upstream
        -- Null while its circuit is closed; until then calls are refused, and one at a time is let through afterwards.
        ADD COLUMN circuit_until    timestamptz,
        ADD COLUMN circuit_reason   text,
        -- In a row.
        ADD COLUMN circuit_openings integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT proxy_upstream_circuit CHECK ((circuit_until IS NULL) = (circuit_reason IS NULL)),
        ADD CONSTRAINT proxy_upstream_circuit_reason CHECK (circuit_reason IN ('errors', 'slowness'));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'ALTER TABLE proxy_upstream DROP COLUMN circuit_until, DROP COLUMN circuit_reason, DROP COLUMN circuit_openings',
    );
  }
}

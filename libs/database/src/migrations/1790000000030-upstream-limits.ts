import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What an upstream may take: its own numbers, or null for those of the settings. */
export class UpstreamLimits1790000000030 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE proxy_upstream
        ADD COLUMN timeout_seconds  integer,
        ADD COLUMN max_answer_bytes integer,
        ADD COLUMN concurrency      integer,
        ADD CONSTRAINT proxy_upstream_timeout     CHECK (timeout_seconds BETWEEN 1 AND 600),
        ADD CONSTRAINT proxy_upstream_answer      CHECK (max_answer_bytes BETWEEN 1024 AND 16777216),
        ADD CONSTRAINT proxy_upstream_concurrency CHECK (concurrency BETWEEN 1 AND 256);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'ALTER TABLE proxy_upstream DROP COLUMN timeout_seconds, DROP COLUMN max_answer_bytes, DROP COLUMN concurrency',
    );
  }
}

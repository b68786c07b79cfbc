import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Endpoints that are told as Slack or Teams shows it. */
export class WebhookFormats1790000000056 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE webhook
        ADD COLUMN format text NOT NULL DEFAULT 'haldir',
        ADD CONSTRAINT webhook_format CHECK (format IN ('haldir', 'slack', 'teams'));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE webhook DROP COLUMN format');
  }
}

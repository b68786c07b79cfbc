import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What an endpoint has missed, to be found and sent. */
export class WebhookRecovery1790000000014 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- What recovering looks for: deliveries of one endpoint that were given up or never begun, oldest event first.
      CREATE INDEX webhook_delivery_missed ON webhook_delivery (tenant_id, webhook_id, event_id)
        WHERE state IN ('failed', 'cancelled');
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX webhook_delivery_missed');
  }
}

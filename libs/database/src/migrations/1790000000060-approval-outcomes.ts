import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Whether anybody was told of a request, and how what was approved ended. */
export class ApprovalOutcomes1790000000060 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Whether an event has left.
      CREATE INDEX outbox_event ON outbox (tenant_id, event_id);

      -- Null while it has not ended, and where it lets no call through by itself.
      ALTER TABLE approval_request ADD COLUMN outcome text
        CONSTRAINT approval_request_outcome CHECK (outcome IN ('performed', 'failed', 'unknown', 'input_required', 'expired'));
      -- Nobody is told now of what was over before.
      UPDATE approval_request SET outcome = 'expired'
       WHERE status = 'expired'
          OR (status = 'approved' AND consumed_at IS NULL AND grant_id IS NULL AND digest IS NOT NULL AND expires_at <= now());
      -- Approvals whose call was not made in time, of all tenants.
      CREATE INDEX approval_request_unused ON approval_request (expires_at)
        WHERE status = 'approved' AND consumed_at IS NULL AND grant_id IS NULL AND digest IS NOT NULL AND outcome IS NULL;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP INDEX approval_request_unused, outbox_event;
      ALTER TABLE approval_request DROP COLUMN outcome;
    `);
  }
}

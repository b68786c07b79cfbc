import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** A call that is made again while it waits is the task that it is already; tasks of every tenant are forgotten when their day is over. */
export class OneTaskACall1790000000046 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE mcp_task ADD COLUMN made_for text;
      UPDATE mcp_task SET made_for = id;
      ALTER TABLE mcp_task ALTER COLUMN made_for SET NOT NULL;
      CREATE UNIQUE INDEX mcp_task_made_for ON mcp_task (tenant_id, holder_hash, made_for) WHERE state <> 'cancelled';
      DROP INDEX mcp_task_expired;
      CREATE INDEX mcp_task_expired ON mcp_task (expires_at);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP INDEX mcp_task_expired;
      CREATE INDEX mcp_task_expired ON mcp_task (tenant_id, expires_at);
      ALTER TABLE mcp_task DROP COLUMN made_for;
    `);
  }
}

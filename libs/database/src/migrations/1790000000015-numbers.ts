import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What an event tells may be what somebody else has written, numbers included: jsonb would write them anew, json keeps the text. */
export class Numbers1790000000015 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE outbox ALTER COLUMN data TYPE json USING data::json');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE outbox ALTER COLUMN data TYPE jsonb USING data::jsonb');
  }
}

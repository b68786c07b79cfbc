import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Whether a connector was told of a request is not known where a process gave it away that does not note it. */
export class NotKnownDelivered1790000000049 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE connector_exchange ALTER COLUMN delivered DROP NOT NULL, ALTER COLUMN delivered DROP DEFAULT;
      UPDATE connector_exchange SET delivered = NULL WHERE NOT delivered;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      UPDATE connector_exchange SET delivered = false WHERE delivered IS NULL;
      ALTER TABLE connector_exchange ALTER COLUMN delivered SET DEFAULT false, ALTER COLUMN delivered SET NOT NULL;
    `);
  }
}

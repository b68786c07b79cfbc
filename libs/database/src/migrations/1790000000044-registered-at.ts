import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Since when an upstream is registered as it is: calls that began before go on in the sessions of the registration before. */
export class RegisteredAt1790000000044 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE proxy_upstream ADD COLUMN registered_at timestamptz NOT NULL DEFAULT '-infinity'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE proxy_upstream DROP COLUMN registered_at`);
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Whoever decides is shown all of a call, or it is not held; requests that left its arguments out are over. */
export class WholeDetails1790000000024 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- The size of the arguments stood last, in their place; arguments of that name stand further in.
      UPDATE approval_request SET expires_at = now()
       WHERE status IN ('pending', 'approved') AND consumed_at IS NULL AND expires_at > now()
         AND digest IS NOT NULL AND details ~ '"arguments_omitted":[0-9]+[}]$';
    `);
  }

  async down(): Promise<void> {
    // What is over stays over.
  }
}

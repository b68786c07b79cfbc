import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What upstreams offer and is not taken, as their lists said last: shown to operators, asked by nothing else. */
export class RefusedDefinitions1790000000031 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- {"count", "first"}; null for none.
      ALTER TABLE proxy_upstream ADD COLUMN refused_tools json;
      -- The same by list: resources, templates, prompts.
      ALTER TABLE proxy_offering ADD COLUMN refused json;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE proxy_offering DROP COLUMN refused;
      ALTER TABLE proxy_upstream DROP COLUMN refused_tools;
    `);
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Which registration a connector came for; and whether it was told of a request that it was given. */
export class ConnectorsKnown1790000000045 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Revision of the upstream; '' is not known. Those that are there are taken to have come for what is registered by now.
      ALTER TABLE connector_lease ADD COLUMN registration text COLLATE "C" NOT NULL DEFAULT '';
      UPDATE connector_lease l SET registration = u.revision
        FROM proxy_upstream u WHERE u.tenant_id = l.tenant_id AND u.name = l.upstream;
      -- The answer that gave it to its connector has left the process whole.
      ALTER TABLE connector_exchange ADD COLUMN delivered boolean NOT NULL DEFAULT false;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE connector_exchange DROP COLUMN delivered;
      ALTER TABLE connector_lease DROP COLUMN registration;
    `);
  }
}

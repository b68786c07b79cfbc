import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** People who sign in by an issuer (OpenID Connect). */
export class Oidc1790000000052 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE oidc_identity (
        tenant_id    text        NOT NULL,
        issuer       text        NOT NULL,
        subject      text        NOT NULL,
        person_id    text COLLATE "C" NOT NULL,
        -- The role that they have by a claim alone.
        claimed_role text,
        created_at   timestamptz NOT NULL,
        mac          bytea       NOT NULL,
        PRIMARY KEY (tenant_id, issuer, subject),
        -- An address that an issuer gives to somebody else does not make them the same person.
        CONSTRAINT oidc_identity_person UNIQUE (tenant_id, person_id, issuer),
        CONSTRAINT oidc_identity_role CHECK (claimed_role IN ('owner', 'operator', 'approver', 'auditor'))
      );
      GRANT SELECT, INSERT, UPDATE, DELETE ON oidc_identity TO haldir_app;
      ALTER TABLE oidc_identity ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON oidc_identity TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));

      ALTER TABLE sign_in DROP CONSTRAINT sign_in_method,
        ADD CONSTRAINT sign_in_method CHECK (method IN ('link', 'passkey', 'oidc'));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DELETE FROM sign_in WHERE method = 'oidc';
      ALTER TABLE sign_in DROP CONSTRAINT sign_in_method,
        ADD CONSTRAINT sign_in_method CHECK (method IN ('link', 'passkey'));
      DROP TABLE oidc_identity;
    `);
  }
}

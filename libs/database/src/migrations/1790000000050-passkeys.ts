import { type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLES = ['passkey', 'taken_challenge'];

/** What people sign in with, and which challenges were answered. */
export class Passkeys1790000000050 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE passkey (
        tenant_id     text        NOT NULL,
        id            text COLLATE "C" NOT NULL,
        person_id     text COLLATE "C" NOT NULL,
        credential_id bytea       NOT NULL,
        -- A COSE_Key.
        public_key    bytea       NOT NULL,
        algorithm     integer     NOT NULL,
        rp_id         text        NOT NULL,
        name          text        NOT NULL,
        counter       bigint      NOT NULL,
        created_at    timestamptz NOT NULL,
        used_at       timestamptz,
        mac           bytea       NOT NULL,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT passkey_credential UNIQUE (tenant_id, credential_id)
      );
      CREATE INDEX passkey_person ON passkey (tenant_id, person_id, id);
      -- Whose it is, of all tenants.
      CREATE INDEX passkey_named ON passkey (credential_id, person_id);
      CREATE INDEX passkey_rp_id ON passkey (rp_id);

      CREATE TABLE taken_challenge (
        tenant_id  text        NOT NULL,
        -- SHA-256 of the challenge.
        hash       bytea       NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, hash)
      );
      -- What is over, of all tenants, goes.
      CREATE INDEX taken_challenge_expires ON taken_challenge (expires_at);
      CREATE INDEX sign_in_expires ON sign_in (expires_at);
      CREATE INDEX invitation_expires ON invitation (expires_at);

      -- Before what a passkey signed is known to be good, nothing is known of its tenant.
      CREATE FUNCTION passkey_tenant(p_credential_id bytea, p_person_id text) RETURNS TABLE (tenant_id text)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT p.tenant_id FROM passkey p WHERE p.credential_id = p_credential_id AND p.person_id = p_person_id
      $$;
      CREATE FUNCTION passkey_rp_ids() RETURNS TABLE (rp_id text)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT DISTINCT p.rp_id FROM passkey p
      $$;
    `);
    for (const table of TABLES) {
      await db.query(`
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO haldir_app;
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant_wall ON ${table} TO haldir_app
          USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
      `);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      `DROP FUNCTION passkey_tenant, passkey_rp_ids; DROP INDEX sign_in_expires, invitation_expires; DROP TABLE ${TABLES.join(', ')};`,
    );
  }
}

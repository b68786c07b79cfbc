import { type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLES = ['person', 'membership', 'sign_in', 'invitation'];

/** People of tenants, what they may do, and where they are signed in. */
export class People1790000000048 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE person (
        tenant_id  text        NOT NULL,
        id         text COLLATE "C" NOT NULL,
        email      text        NOT NULL,
        name       text        NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT person_email UNIQUE (tenant_id, email)
      );

      CREATE TABLE membership (
        tenant_id    text        NOT NULL,
        person_id    text COLLATE "C" NOT NULL,
        role         text        NOT NULL,
        created_at   timestamptz NOT NULL,
        signed_in_at timestamptz,
        removed_at   timestamptz,
        mac          bytea       NOT NULL,
        PRIMARY KEY (tenant_id, person_id),
        CONSTRAINT membership_role CHECK (role IN ('owner', 'operator', 'approver', 'auditor'))
      );

      CREATE TABLE sign_in (
        tenant_id  text        NOT NULL,
        id         text COLLATE "C" NOT NULL,
        person_id  text COLLATE "C" NOT NULL,
        -- SHA-256 of the cookie.
        hash       bytea       NOT NULL,
        -- SHA-256 of what the page keeps and sends as a header.
        page_hash  bytea       NOT NULL,
        method     text        NOT NULL,
        created_at timestamptz NOT NULL,
        used_at    timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        mac        bytea       NOT NULL,
        PRIMARY KEY (tenant_id, id),
        -- Whose cookie it is.
        CONSTRAINT sign_in_hash UNIQUE (hash),
        CONSTRAINT sign_in_method CHECK (method IN ('link', 'passkey'))
      );
      -- Where a person is signed in.
      CREATE INDEX sign_in_person ON sign_in (tenant_id, person_id, id);

      CREATE TABLE invitation (
        tenant_id  text        NOT NULL,
        id         text COLLATE "C" NOT NULL,
        -- Null for the first owner of all.
        person_id  text COLLATE "C",
        -- SHA-256 of the token in the link.
        hash       bytea       NOT NULL,
        expires_at timestamptz NOT NULL,
        mac        bytea       NOT NULL,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT invitation_hash UNIQUE (hash)
      );

      -- Before a cookie or link is known to be good, nothing is known of its tenant.
      CREATE FUNCTION sign_in_live(p_hash bytea)
      RETURNS TABLE (tenant_id text, id text, person_id text, hash bytea, page_hash bytea, method text, created_at timestamptz,
                     used_at timestamptz, expires_at timestamptz, mac bytea, email text, role text, membership_mac bytea,
                     tier text, is_operator boolean)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT s.tenant_id, s.id, s.person_id, s.hash, s.page_hash, s.method, s.created_at, s.used_at, s.expires_at, s.mac,
               p.email, m.role, m.mac, t.tier, t.is_operator
          FROM sign_in s
          JOIN membership m ON m.tenant_id = s.tenant_id AND m.person_id = s.person_id AND m.removed_at IS NULL
          JOIN person p ON p.tenant_id = s.tenant_id AND p.id = s.person_id
          JOIN tenant t ON t.id = s.tenant_id
         WHERE s.hash = p_hash
      $$;
      CREATE FUNCTION invitation_tenant(p_hash bytea) RETURNS TABLE (tenant_id text)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT i.tenant_id FROM invitation i WHERE i.hash = p_hash
      $$;

      -- What came first to a tenant. Rows are written once and stay: whatever becomes of keys and people, a door that is shut is shut.
      CREATE TABLE tenant_door (
        tenant_id text        NOT NULL,
        kind      text        NOT NULL,
        shut_at   timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, kind),
        CONSTRAINT tenant_door_kind CHECK (kind IN ('key', 'person'))
      );
      INSERT INTO tenant_door SELECT id, 'key', now() FROM tenant WHERE is_operator;
      GRANT SELECT, INSERT ON tenant_door TO haldir_app;
      ALTER TABLE tenant_door ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON tenant_door TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));

      -- The operator's tenant can be there before its first key: the first owner may come first. Either shuts the door.
      CREATE OR REPLACE FUNCTION operator_exists() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT EXISTS (SELECT FROM tenant t JOIN tenant_door d ON d.tenant_id = t.id WHERE t.is_operator)
      $$;
      CREATE FUNCTION operator_tenant() RETURNS TABLE (id text, tier text)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT t.id, t.tier FROM tenant t WHERE t.is_operator
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
    await db.query(`
      DROP FUNCTION sign_in_live, invitation_tenant, operator_tenant;
      CREATE OR REPLACE FUNCTION operator_exists() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT EXISTS (SELECT FROM tenant WHERE is_operator)
      $$;
      DROP TABLE tenant_door, ${TABLES.join(', ')};
    `);
  }
}

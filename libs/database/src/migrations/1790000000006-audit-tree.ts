import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The Merkle tree over each log, what was signed of it, and the key that signs. */
export class AuditTree1790000000006 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- How far the tree over a log is built and signed: the roots of its complete subtrees from left to right (RFC 6962), and
      -- the hash of the last entry in it. Derived from the entries, but never rebuilt: what was signed stays signed.
      CREATE TABLE audit_tree (
        tenant_id text   PRIMARY KEY REFERENCES tenant,
        size      bigint NOT NULL,
        frontier  bytea  NOT NULL,
        last_hash bytea  NOT NULL,
        CONSTRAINT audit_tree_frontier CHECK (length(frontier) = 32 * bit_count(size::bit(64)))
      ) WITH (fillfactor = 50);

      -- Tiles of 256 hashes (C2SP tlog-tiles). Level 0 holds leaf hashes, and only full tiles: the rest of the leaves is read
      -- from the entries. Higher levels hold the roots of full tiles below, and grow until they are full.
      CREATE TABLE audit_tile (
        tenant_id text    NOT NULL,
        level     integer NOT NULL,
        index     bigint  NOT NULL,
        hashes    bytea   NOT NULL,
        PRIMARY KEY (tenant_id, level, index),
        CONSTRAINT audit_tile_full CHECK (length(hashes) = 8192 OR (level > 0 AND length(hashes) % 32 = 0 AND length(hashes) BETWEEN 32 AND 8160))
      );
      -- Hashes do not compress.
      ALTER TABLE audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

      CREATE TABLE audit_checkpoint (
        tenant_id text        NOT NULL,
        tree_size bigint      NOT NULL,
        root_hash bytea       NOT NULL,
        signed_at timestamptz NOT NULL,
        signature bytea       NOT NULL,
        note      text        NOT NULL,
        PRIMARY KEY (tenant_id, tree_size)
      );

      -- The log's own Ed25519 key, its seed sealed under the tenant's key. The origin is the log's name for ever.
      CREATE TABLE audit_log_key (
        tenant_id  text        PRIMARY KEY REFERENCES tenant,
        origin     text        NOT NULL,
        public_key bytea       NOT NULL,
        seed       bytea       NOT NULL,
        created_at timestamptz NOT NULL
      );

      -- Locks the trees of logs for whoever is about to extend them; without p_wait, of those that are not locked.
      CREATE FUNCTION audit_tree_lock(p_tenants text[], p_wait boolean) RETURNS TABLE (tenant_id text, size bigint, frontier bytea, last_hash bytea)
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      BEGIN
        PERFORM haldir_check_tenants(p_tenants);
        IF p_wait THEN
          RETURN QUERY SELECT t.tenant_id, t.size, t.frontier, t.last_hash FROM audit_tree t
                        WHERE t.tenant_id = ANY (p_tenants) ORDER BY t.tenant_id FOR UPDATE;
        ELSE
          RETURN QUERY SELECT t.tenant_id, t.size, t.frontier, t.last_hash FROM audit_tree t
                        WHERE t.tenant_id = ANY (p_tenants) ORDER BY t.tenant_id FOR UPDATE SKIP LOCKED;
        END IF;
      END $$;

      -- Extends the trees over logs, never beyond the log and never back, with the checkpoints that say so.
      CREATE FUNCTION audit_tree_extend(p_tenants text[], p_sizes bigint[], p_frontiers bytea[], p_last_hashes bytea[], p_roots bytea[],
                                        p_signed_at timestamptz, p_signatures bytea[], p_notes text[]) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DECLARE
        v_extended integer;
      BEGIN
        PERFORM haldir_check_tenants(p_tenants);
        UPDATE audit_tree t SET size = n.size, frontier = n.frontier, last_hash = n.last_hash
          FROM unnest(p_tenants, p_sizes, p_frontiers, p_last_hashes) AS n(tenant_id, size, frontier, last_hash)
          JOIN audit_head h ON h.tenant_id = n.tenant_id
         WHERE t.tenant_id = n.tenant_id AND n.size BETWEEN t.size AND h.size;
        GET DIAGNOSTICS v_extended = ROW_COUNT;
        IF v_extended <> cardinality(p_tenants) THEN RAISE 'a tree grows with its log'; END IF;
        INSERT INTO audit_checkpoint (tenant_id, tree_size, root_hash, signed_at, signature, note)
          SELECT c.tenant_id, c.size, c.root, p_signed_at, c.signature, c.note
            FROM unnest(p_tenants, p_sizes, p_roots, p_signatures, p_notes) AS c(tenant_id, size, root, signature, note);
      END $$;

      -- Adds hashes to the end of a tile; answers the whole tile once it is full. A full one stays as it is.
      CREATE FUNCTION audit_tile_grow(p_tenant text, p_level integer, p_index bigint, p_hashes bytea) RETURNS bytea
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DECLARE
        v_hashes bytea;
      BEGIN
        PERFORM haldir_check_tenants(ARRAY[p_tenant]);
        INSERT INTO audit_tile AS t (tenant_id, level, index, hashes) VALUES (p_tenant, p_level, p_index, p_hashes)
          ON CONFLICT (tenant_id, level, index) DO UPDATE SET hashes = t.hashes || excluded.hashes WHERE length(t.hashes) < 8192
          RETURNING hashes INTO v_hashes;
        RETURN CASE WHEN length(v_hashes) = 8192 THEN v_hashes END;
      END $$;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP FUNCTION audit_tile_grow, audit_tree_extend, audit_tree_lock;
      DROP TABLE audit_log_key, audit_checkpoint, audit_tile, audit_tree;
    `);
  }
}

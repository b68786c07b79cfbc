import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Whoever shows lists to clients hears that they may have changed, by whatever statement: a notice with the tenant's id, in the form
 * of `Notices`, once a transaction.
 */
export class ListChanges1790000000043 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE FUNCTION say_lists_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_notify('haldir_lists_changed', '0.' || encode(convert_to(coalesce(NEW.tenant_id, OLD.tenant_id), 'UTF8'), 'base64'));
          RETURN NULL;
        END
      $$;
      -- Checks of upstreams write their rows all the time.
      CREATE TRIGGER proxy_upstream_changed AFTER UPDATE ON proxy_upstream FOR EACH ROW
        WHEN ((OLD.catalogue_digest, OLD.prefixed, OLD.separator) IS DISTINCT FROM (NEW.catalogue_digest, NEW.prefixed, NEW.separator))
        EXECUTE FUNCTION say_lists_changed();
      CREATE TRIGGER proxy_upstream_came_or_went AFTER INSERT OR DELETE ON proxy_upstream FOR EACH ROW EXECUTE FUNCTION say_lists_changed();
      CREATE TRIGGER proxy_offering_changed AFTER UPDATE ON proxy_offering FOR EACH ROW
        WHEN (OLD.digest IS DISTINCT FROM NEW.digest) EXECUTE FUNCTION say_lists_changed();
      CREATE TRIGGER proxy_offering_came_or_went AFTER INSERT OR DELETE ON proxy_offering FOR EACH ROW EXECUTE FUNCTION say_lists_changed();
      CREATE TRIGGER proxy_policy_changed AFTER INSERT OR UPDATE OR DELETE ON proxy_policy FOR EACH ROW EXECUTE FUNCTION say_lists_changed();
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TRIGGER proxy_policy_changed ON proxy_policy;
      DROP TRIGGER proxy_offering_came_or_went ON proxy_offering;
      DROP TRIGGER proxy_offering_changed ON proxy_offering;
      DROP TRIGGER proxy_upstream_came_or_went ON proxy_upstream;
      DROP TRIGGER proxy_upstream_changed ON proxy_upstream;
      DROP FUNCTION say_lists_changed;
    `);
  }
}

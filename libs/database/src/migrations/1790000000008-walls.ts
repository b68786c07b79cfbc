import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Tables in which every row belongs to a tenant, named in `tenant_id`. */
const TENANT_TABLES = [
  'api_key', 'tenant_key', 'session', 'budget', 'budget_usage', 'idempotency', 'quota', 'usage_month', 'outbox', 'audit_head', 'audit_entry', 'audit_agent',
  'audit_agent_tool', 'audit_rule', 'audit_rollup', 'audit_rollup_mark', 'audit_finding', 'audit_tree', 'audit_tile', 'audit_checkpoint',
  'audit_log_key', 'secret', 'secret_version', 'payment', 'payment_event', 'payment_total', 'approval_rule', 'approval_request', 'approval_settings', 'approval_total', 'webhook',
  'webhook_event', 'webhook_delivery', 'webhook_attempt', 'proxy_upstream', 'proxy_tool', 'proxy_offering', 'proxy_traffic', 'proxy_policy', 'proxy_rate', 'proxy_tool_price',
]; // prettier-ignore

/** What only functions of the owner write: the log, what is derived from it, and what its rules remember. */
const LOG_TABLES = [
  'audit_head', 'audit_entry', 'audit_agent', 'audit_agent_tool', 'audit_rollup', 'audit_rollup_mark', 'audit_tree', 'audit_tile',
  'audit_checkpoint',
]; // prettier-ignore

/**
 * The walls in the database. The apps connect as members of haldir_app: a statement sees the rows of the tenants it was told
 * (`haldir.tenants`, an array literal) and no others, and nothing but the functions below writes to the log. Members of
 * haldir_system, the worker, may ask for all tenants at once (`haldir.tenants = '*'`). The owner, who migrates, stands outside.
 */
export class Walls1790000000008 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      GRANT USAGE ON SCHEMA public TO haldir_app;
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO haldir_app;
      GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO haldir_app;
      REVOKE INSERT, UPDATE, DELETE ON migration, ${LOG_TABLES.join(', ')} FROM haldir_app;
      REVOKE UPDATE, DELETE ON audit_log_key, tenant, root_key, system_key, tenant_key, payment_event FROM haldir_app;
      REVOKE INSERT, UPDATE, DELETE ON key_rotation FROM haldir_app;
      REVOKE DELETE ON payment FROM haldir_app;
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO haldir_app;
    `);
    for (const table of [...TENANT_TABLES, 'tenant']) {
      const column = table === 'tenant' ? 'id' : 'tenant_id';
      await db.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        -- In sub-selects, so that they are evaluated once for a statement and not once for a row.
        CREATE POLICY tenant_wall ON ${table} TO haldir_app
          USING (${column} = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
      `);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of [...TENANT_TABLES, 'tenant']) {
      await db.query(`DROP POLICY tenant_wall ON ${table}; ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY;`);
    }
    await db.query('DROP OWNED BY haldir_app');
  }
}

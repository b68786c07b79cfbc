import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Calls that wait for approval as MCP tasks: whoever made one asks for its result by its id. */
export class McpTasks1790000000042 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE mcp_task (
        tenant_id   text        NOT NULL,
        id          text        NOT NULL,
        -- SHA-256 of whose call it is.
        holder_hash bytea       NOT NULL,
        -- The approval that it waits for.
        request_id  text        NOT NULL,
        -- The call as it was made: arguments may hold secrets.
        sealed      bytea       NOT NULL,
        state       text        NOT NULL DEFAULT 'open',
        created_at  timestamptz NOT NULL,
        updated_at  timestamptz NOT NULL,
        expires_at  timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT mcp_task_state CHECK (state IN ('open', 'called', 'cancelled'))
      );
      CREATE INDEX mcp_task_expired ON mcp_task (tenant_id, expires_at);
      GRANT SELECT, INSERT, UPDATE, DELETE ON mcp_task TO haldir_app;
      ALTER TABLE mcp_task ENABLE ROW LEVEL SECURITY;
      CREATE POLICY tenant_wall ON mcp_task TO haldir_app
        USING (tenant_id = ANY ((SELECT haldir_tenants())::text[]) OR (SELECT haldir_sees_all()));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE mcp_task');
  }
}

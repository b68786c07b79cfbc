import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What needs a human, and what humans were asked. */
export class Approvals1790000000003 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE approval_rule (
        tenant_id        text        NOT NULL REFERENCES tenant,
        id               text        NOT NULL,
        type             text        NOT NULL,
        threshold_micros bigint,
        tools            text[],
        created_at       timestamptz NOT NULL,
        -- Also the order in which rules are tried and listed (ids are time-ordered).
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT approval_rule_known     CHECK (type IN ('spend_over', 'tool_blocked', 'destructive', 'all')),
        CONSTRAINT approval_rule_threshold CHECK ((type = 'spend_over') = (threshold_micros IS NOT NULL) AND threshold_micros >= 0),
        CONSTRAINT approval_rule_tools     CHECK ((type = 'tool_blocked') = (tools IS NOT NULL) AND cardinality(tools) > 0)
      );

      CREATE TABLE approval_request (
        tenant_id     text        NOT NULL REFERENCES tenant,
        id            text        NOT NULL,
        session_id    text        NOT NULL,
        agent_id      text        NOT NULL,
        tool          text        NOT NULL,
        action        text        NOT NULL,
        amount_micros bigint      NOT NULL,
        reason        text        NOT NULL,
        details       text,
        -- The exact call that waits; null for a request that an agent made of its own accord, which lets nothing through.
        digest        bytea,
        requested_key text,
        status        text        NOT NULL,
        created_at    timestamptz NOT NULL,
        expires_at    timestamptz NOT NULL,
        decided_at    timestamptz,
        decided_by    text,
        decision_note text,
        decided_key   text,
        consumed_at   timestamptz,
        -- Also the history, newest first (ids are time-ordered).
        PRIMARY KEY (tenant_id, id),
        CONSTRAINT approval_request_status   CHECK (status IN ('pending', 'approved', 'denied', 'expired')),
        CONSTRAINT approval_request_decided  CHECK ((status IN ('approved', 'denied')) = (decided_at IS NOT NULL)),
        CONSTRAINT approval_request_consumed CHECK (consumed_at IS NULL OR (status = 'approved' AND digest IS NOT NULL)),
        CONSTRAINT approval_request_digest   CHECK (length(digest) = 32)
      ) WITH (fillfactor = 85);
      -- One question about one call at a time, whoever asks it again meanwhile.
      CREATE UNIQUE INDEX approval_request_waiting ON approval_request (tenant_id, session_id, digest) WHERE status = 'pending' AND digest IS NOT NULL;
      -- The approval that lets a call through, and what was decided about a call last.
      CREATE INDEX approval_request_by_call  ON approval_request (tenant_id, session_id, digest, id) WHERE digest IS NOT NULL;
      -- The list of what is pending, and its count.
      CREATE INDEX approval_request_pending  ON approval_request (tenant_id, id) WHERE status = 'pending';
      -- The history of one agent.
      CREATE INDEX approval_request_by_agent ON approval_request (tenant_id, agent_id, id);
      -- The expiry job.
      CREATE INDEX approval_request_expiring ON approval_request (expires_at) WHERE status = 'pending';

      -- What a tenant wants otherwise than by default.
      CREATE TABLE approval_settings (
        tenant_id            text    PRIMARY KEY REFERENCES tenant,
        forbid_self_approval boolean NOT NULL
      );

      -- How many requests a tenant ever made, so that nobody has to count them.
      CREATE TABLE approval_total (
        tenant_id text   PRIMARY KEY REFERENCES tenant,
        requests  bigint NOT NULL
      ) WITH (fillfactor = 50);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE approval_total, approval_settings, approval_request, approval_rule');
  }
}

import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Transactions } from '@haldir/database';

/** What entries cost; filters combine. */
export interface SumFilter {
  sessionId?: string | undefined;
  agentId?: string | undefined;
}

/** Entries and their cost, of one tool or agent. */
export interface Share {
  name: string;
  entries: number;
  cost: MicroUsd;
}

/** A whole log in figures. */
export interface LogTotals {
  entries: number;
  flagged: number;
  cost: MicroUsd;
  agents: number;
  /** Entries of the UTC day. */
  today: number;
  /** Sessions ever opened, which are recorded once each. */
  sessions: number;
  topTools: Share[];
  topAgents: Share[];
}

// Inside the sub-select: outside, the walls would keep the comparison from the index, and the whole log would be read.
const MARK = `(SELECT coalesce(max(seq), 0) FROM audit_rollup_mark WHERE tenant_id = $1)`;
/** What is behind the mark, with both ends: the planner takes a range with an open end for a third of the log, and reads all of it. */
const TAIL = `seq >= ${MARK} AND seq < (SELECT size FROM audit_head WHERE tenant_id = $1)`;
const behind = {
  name: 'audit_rollup.behind.v2',
  text: `SELECT size - ${MARK} AS entries FROM audit_head WHERE tenant_id = $1`,
};
const advance = 'SELECT audit_rollup_advance($1, $2) AS moved';
const unsummed = `
  SELECT h.tenant_id FROM audit_head h LEFT JOIN audit_rollup_mark m ON m.tenant_id = h.tenant_id
   WHERE h.size >= coalesce(m.seq, 0) + $1`;
// One statement is one snapshot: the sums and the entries behind their mark fit together.
const spendOfAll = {
  name: 'audit_rollup.spend_of_all.v3',
  text: `WITH tail AS MATERIALIZED (
           SELECT tool, agent_id, count(*) AS entries, sum(cost_micros)::bigint AS cost_micros FROM audit_entry
            WHERE tenant_id = $1 AND ${TAIL} GROUP BY 1, 2
         ), share AS (
           SELECT scope, part AS name, entries, cost_micros FROM audit_rollup
            WHERE tenant_id = $1 AND scope IN ('tool', 'agents') AND subject = ''
           UNION ALL SELECT 'tool', tool, entries, cost_micros FROM tail
           UNION ALL SELECT 'agents', agent_id, entries, cost_micros FROM tail
         )
         SELECT scope, name, sum(entries)::float8 AS entries, sum(cost_micros)::bigint AS cost FROM share GROUP BY 1, 2`,
};
const spendOfSome = {
  name: 'audit_rollup.spend_of_some.v3',
  text: `WITH share AS (
           SELECT part AS tool, agent_id, entries, cost_micros FROM audit_rollup
            WHERE tenant_id = $1 AND scope = 'session' AND subject = $2 AND ($3::text IS NULL OR agent_id = $3)
           UNION ALL
           SELECT part, subject, entries, cost_micros FROM audit_rollup
            WHERE tenant_id = $1 AND scope = 'agent' AND subject = $3 AND $2::text IS NULL
           UNION ALL
           SELECT tool, agent_id, count(*), sum(cost_micros)::bigint FROM audit_entry
            WHERE tenant_id = $1 AND ${TAIL} AND ($2::text IS NULL OR session_id = $2) AND ($3::text IS NULL OR agent_id = $3)
            GROUP BY 1, 2
         )
         SELECT CASE grouping(tool) WHEN 0 THEN 'tool' ELSE 'agents' END AS scope, coalesce(tool, agent_id) AS name,
                sum(entries)::float8 AS entries, sum(cost_micros)::bigint AS cost
           FROM share GROUP BY GROUPING SETS ((tool), (agent_id))`,
};
const totals = `
  WITH tail AS MATERIALIZED (
    SELECT tool, agent_id, action, source, cost_micros, flag_reason IS NOT NULL AS flagged, at FROM audit_entry
     WHERE tenant_id = $1 AND ${TAIL}
  ), mark AS (
    SELECT coalesce(max(seq), 0) AS seq, coalesce(max(flagged), 0) AS flagged, coalesce(max(cost_micros), 0) AS cost_micros,
           coalesce(max(agents), 0) AS agents
      FROM audit_rollup_mark WHERE tenant_id = $1
  )
  SELECT (mark.seq + (SELECT count(*) FROM tail))::float8                       AS entries,
         (mark.flagged + (SELECT count(*) FROM tail WHERE tail.flagged))::float8 AS flagged,
         (mark.cost_micros + (SELECT coalesce(sum(tail.cost_micros), 0) FROM tail))::bigint AS cost,
         (mark.agents + (SELECT count(*) FROM (SELECT DISTINCT agent_id FROM tail WHERE agent_id <> '') AS a WHERE (
            SELECT true FROM audit_rollup r WHERE r.tenant_id = $1 AND r.scope = 'agents' AND r.subject = '' AND r.part = a.agent_id) IS NULL))::float8 AS agents,
         (coalesce((SELECT entries FROM audit_rollup WHERE tenant_id = $1 AND scope = 'day' AND subject = '' AND part = $2), 0)
            + (SELECT count(*) FROM tail WHERE at >= $2::date::timestamp AT TIME ZONE 'UTC'))::float8 AS today,
         (coalesce((SELECT entries FROM audit_rollup WHERE tenant_id = $1 AND scope = 'event' AND subject = '' AND part = 'session_created'), 0)
            + (SELECT count(*) FROM tail WHERE source <> 'agent' AND action = 'session_created'))::float8 AS sessions
    FROM mark`;
const costSince = `
  SELECT (coalesce((SELECT sum(cost_micros) FROM audit_rollup
                     WHERE tenant_id = $1 AND scope = 'day' AND subject = '' AND part >= $2), 0)
          + coalesce((SELECT sum(cost_micros) FROM audit_entry
                     WHERE tenant_id = $1 AND ${TAIL} AND at >= $2::date::timestamp AT TIME ZONE 'UTC'), 0))::bigint AS cost`;
const top = (scope: 'tool' | 'agents', column: 'tool' | 'agent_id') => `
  WITH share AS (
    SELECT part AS name, entries, cost_micros FROM audit_rollup WHERE tenant_id = $1 AND scope = '${scope}' AND subject = ''
    UNION ALL
    SELECT ${column}, count(*), sum(cost_micros)::bigint FROM audit_entry WHERE tenant_id = $1 AND ${TAIL} GROUP BY 1
  )
  SELECT name, sum(entries)::float8 AS entries, sum(cost_micros)::bigint AS cost FROM share WHERE name <> ''
   GROUP BY name ORDER BY 2 DESC, 1 LIMIT $2`;
const topTools = top('tool', 'tool');
const topAgents = top('agents', 'agent_id');

interface ShareRow {
  name: string;
  entries: number;
  cost: string;
}

/** Sums over each log: rows up to a mark, and the entries behind it. */
@Injectable()
export class LogSumsRepository {
  constructor(private readonly transactions: Transactions) {}

  /** What each tool and each agent has used, the nameless too. */
  async shares(tenantId: string, { sessionId, agentId }: SumFilter): Promise<{ byTool: Share[]; byAgent: Share[] }> {
    type Row = ShareRow & { scope: 'tool' | 'agents' };
    const rows = await (sessionId === undefined && agentId === undefined
      ? this.transactions.query<Row>(spendOfAll, [tenantId])
      : this.transactions.query<Row>(spendOfSome, [tenantId, sessionId ?? null, agentId ?? null]));
    return {
      byTool: rows.filter(({ scope }) => scope === 'tool').map(toShare),
      byAgent: rows.filter(({ scope }) => scope === 'agents').map(toShare),
    };
  }

  /** @param today `YYYY-MM-DD`, UTC; @param most how many tools and agents are named */
  async totals(tenantId: string, today: string, most: number): Promise<LogTotals> {
    interface Row {
      entries: number;
      flagged: number;
      cost: string;
      agents: number;
      today: number;
      sessions: number;
    }
    const [[row], tools, agents] = await Promise.all([
      this.transactions.query<Row>(totals, [tenantId, today]),
      this.transactions.query<ShareRow>(topTools, [tenantId, most]),
      this.transactions.query<ShareRow>(topAgents, [tenantId, most]),
    ]);
    if (!row) throw new Error('sums are one row');
    return { ...row, cost: BigInt(row.cost) as MicroUsd, topTools: tools.map(toShare), topAgents: agents.map(toShare) };
  }

  /** @param day `YYYY-MM-DD`, UTC */
  async costSince(tenantId: string, day: string): Promise<MicroUsd> {
    const [row] = await this.transactions.query<{ cost: string }>(costSince, [tenantId, day]);
    return BigInt(row?.cost ?? 0) as MicroUsd;
  }

  /** How many entries are behind the mark. */
  async behind(tenantId: string): Promise<number> {
    const [row] = await this.transactions.query<{ entries: string }>(behind, [tenantId]);
    return Number(row?.entries ?? 0);
  }

  /** Tenants whose logs have at least so many entries behind the mark. */
  async logsBehind(atLeast: number): Promise<string[]> {
    const rows = await this.transactions.queryAll<{ tenant_id: string }>(unsummed, [atLeast]);
    return rows.map(({ tenant_id: tenantId }) => tenantId);
  }

  /** Moves the mark by up to `most` entries; answers by how many. */
  async advance(tenantId: string, most: number): Promise<number> {
    const [row] = await this.transactions.query<{ moved: number }>(advance, [tenantId, most]);
    return row?.moved ?? 0;
  }
}

function toShare({ name, entries, cost }: ShareRow): Share {
  return { name, entries, cost: BigInt(cost) as MicroUsd };
}

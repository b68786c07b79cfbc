import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

/** What the log says of an agent. */
export interface Activity {
  agentId: string;
  entries: number;
  flagged: number;
  lastSeen: Date;
}

// Agents are found by one probe of the index of each, however many entries they have; what is behind the mark is counted.
const page = `
  WITH RECURSIVE agent AS (
    (SELECT agent_id FROM audit_entry WHERE tenant_id = $1 AND agent_id > $2 AND ($4::text IS NULL OR agent_id = $4)
      ORDER BY agent_id LIMIT 1)
    UNION ALL
    SELECT n.agent_id FROM agent a CROSS JOIN LATERAL (
      SELECT e.agent_id FROM audit_entry e WHERE e.tenant_id = $1 AND e.agent_id > a.agent_id AND $4::text IS NULL
       ORDER BY e.agent_id LIMIT 1) n
  ), mark AS (
    SELECT coalesce(max(seq), 0) AS seq FROM audit_rollup_mark WHERE tenant_id = $1
  )
  SELECT a.agent_id, last.at AS last_seen,
         (coalesce(r.entries, 0) + tail.entries)::float8 AS entries, (coalesce(r.flagged, 0) + tail.flagged)::float8 AS flagged
    FROM (SELECT agent_id FROM agent LIMIT $3) a CROSS JOIN mark
    LEFT JOIN audit_rollup r ON r.tenant_id = $1 AND r.scope = 'agents' AND r.subject = '' AND r.part = a.agent_id
   CROSS JOIN LATERAL (SELECT at FROM audit_entry e WHERE e.tenant_id = $1 AND e.agent_id = a.agent_id ORDER BY e.seq DESC LIMIT 1) last
   CROSS JOIN LATERAL (SELECT count(*) AS entries, count(flag_reason) AS flagged FROM audit_entry e
                        WHERE e.tenant_id = $1 AND e.agent_id = a.agent_id AND e.seq >= mark.seq) tail
   ORDER BY a.agent_id`;

interface AgentActivityRow {
  agent_id: string;
  last_seen: Date;
  entries: number;
  flagged: number;
}

/** Agents, as the log knows them: whoever opened a session, or was spoken of. */
@Injectable()
export class AgentActivityRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's agents by name, behind the one named. @param only that agent; every one where it is left out */
  async list(tenantId: string, limit: number, after: string | null, only?: string): Promise<Activity[]> {
    const rows = await this.transactions.query<AgentActivityRow>(page, [tenantId, after ?? '', limit, only]);
    return rows.map(({ agent_id: agentId, last_seen: lastSeen, ...counts }) => ({ agentId, lastSeen, ...counts }));
  }
}

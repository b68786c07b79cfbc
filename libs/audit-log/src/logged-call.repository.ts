import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

/** What the proxy logged of a call, as far as a decision may need it. */
export interface LoggedCall {
  seq: number;
  entryId: string;
  agentId: string;
  tool: string;
  at: Date;
  /** Null once they were erased. */
  details: string | null;
}

/** A stretch of a log: from one position up to, and without, another. */
export interface LogStretch {
  from: number;
  to: number;
}

const position = `
  SELECT CASE WHEN $2::timestamptz IS NULL THEN 0 ELSE audit_position_at($1, $2) END::text AS "from",
         CASE WHEN $3::timestamptz IS NULL THEN h.size ELSE audit_position_at($1, $3) END::text AS "to"
    FROM audit_head h WHERE h.tenant_id = $1`;
const read = `
  SELECT seq, entry_id, agent_id, tool, at, details FROM audit_entry
   WHERE tenant_id = $1 AND seq >= $2 AND seq < $3 AND source = 'proxy' AND ($4::text IS NULL OR agent_id = $4)
     AND action IN ('tool_call', 'tool_call_blocked', 'tool_call_held')
   ORDER BY seq`;

interface LoggedCallRow {
  seq: string;
  entry_id: string;
  agent_id: string;
  tool: string;
  at: Date;
  details: string | null;
}

/** The proxied calls of a tenant's log, narrowly, for whoever reads very many. */
@Injectable()
export class LoggedCallRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The positions of what was logged from one moment up to, and without, another; null means the beginning, and the end. */
  async stretch(tenantId: string, from: Date | null, to: Date | null): Promise<LogStretch> {
    const [row] = await this.transactions.query<{ from: string; to: string }>(position, [tenantId, from, to]);
    return { from: Number(row?.from ?? 0), to: Number(row?.to ?? 0) };
  }

  /** The calls in a stretch, in their order; of one agent, or null for all. */
  async read(tenantId: string, { from, to }: LogStretch, agentId: string | null): Promise<LoggedCall[]> {
    const rows = await this.transactions.query<LoggedCallRow>(read, [tenantId, from, to, agentId]);
    return rows.map((row) => ({
      seq: Number(row.seq),
      entryId: row.entry_id,
      agentId: row.agent_id,
      tool: row.tool,
      at: row.at,
      details: row.details,
    }));
  }
}

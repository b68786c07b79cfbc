import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Transactions } from '@haldir/database';

export interface SessionPlace {
  tenantId: string;
  id: string;
}

/** What a session has spent, as its row says and as the log does. */
export interface ComparedSession extends SessionPlace {
  agentId: string;
  spent: MicroUsd;
  logged: MicroUsd;
  /** Payments whose details were erased, so that they cannot be added up. */
  erased: number;
  /** Details of the last entry about a difference in this session. */
  said: string | null;
}

// What is held is not spent, and what a human or a tool gave back is not either: authorized and captured payments are.
const compare = `
  SELECT s.tenant_id, s.id, s.agent_id, s.spent_micros, p.logged, p.erased, said.details AS said
    FROM (SELECT tenant_id, id, agent_id, spent_micros FROM session
           WHERE (tenant_id, id) > ($1, $2) AND spend_limit_micros IS NOT NULL AND revoked_at IS NULL AND expires_at > $3
           ORDER BY tenant_id, id LIMIT $4) s
   CROSS JOIN LATERAL (
         SELECT coalesce(sum(round(coalesce(details::json ->> 'usd', details::json ->> 'amount')::numeric * 1000000)), 0)::bigint AS logged,
                count(*) FILTER (WHERE details IS NULL)::float8 AS erased
           FROM audit_entry
          WHERE tenant_id = s.tenant_id AND session_id = s.id AND action IN ('payment_authorized', 'payment_captured')
            AND tool = 'haldir.vault' AND source <> 'agent') p
    LEFT JOIN LATERAL (
         SELECT details FROM audit_entry
          WHERE tenant_id = s.tenant_id AND session_id = s.id AND action = 'spent_differs' AND tool = 'haldir.watch' AND source = 'haldir'
          ORDER BY seq DESC LIMIT 1) said ON true
   ORDER BY s.tenant_id, s.id`;

interface Row {
  tenant_id: string;
  id: string;
  agent_id: string;
  spent_micros: string;
  logged: string;
  erased: number;
  said: string | null;
}

/** What sessions have spent, against their payments in the log. */
@Injectable()
export class LoggedSpendingRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` sessions with a limit that are neither revoked nor expired, by tenant and id, behind `after`. */
  async compare(after: SessionPlace, now: Date, limit: number): Promise<ComparedSession[]> {
    const rows = await this.transactions.queryAll<Row>(compare, [after.tenantId, after.id, now, limit]);
    return rows.map(({ tenant_id, agent_id, spent_micros, logged, ...row }) => ({
      ...row,
      tenantId: tenant_id,
      agentId: agent_id,
      spent: BigInt(spent_micros) as MicroUsd,
      logged: BigInt(logged) as MicroUsd,
    }));
  }
}

import { Injectable } from '@nestjs/common';
import { Clock, haldirActor, type MicroUsd, parseJson, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';

const SESSIONS_AT_ONCE = 500;

// What is held is not spent, and what a human or a tool gave back is not either: authorized and captured payments are.
const compare = {
  name: 'session.spent_against_log.v1',
  text: `SELECT s.tenant_id, s.id, s.agent_id, s.spent_micros, p.logged, p.erased, said.details AS said
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
          ORDER BY s.tenant_id, s.id`,
};

interface Row {
  tenant_id: string;
  id: string;
  agent_id: string;
  spent_micros: string;
  logged: string;
  erased: number;
  /** Details of the last entry about a difference in this session. */
  said: string | null;
}

/**
 * Compares what each live session with a limit has spent, as its row says, with its payments in the log. The row moves with every
 * payment and therefore has no MAC; the log cannot be changed unseen. A difference is a flagged entry, told once as long as it
 * stays the same. A session whose payments were erased from the log cannot be compared, and is left out.
 */
@Injectable()
export class SpentCheck {
  constructor(
    private readonly auditLog: AuditLog,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Answers how many differences are new. Safe to run anywhere, any number of times. */
  async run(): Promise<number> {
    let found = 0;
    let after: readonly [string, string] = ['', ''];
    for (;;) {
      const rows = await this.transactions.queryAll<Row>(compare, [...after, this.clock.now(), SESSIONS_AT_ONCE]);
      for (const row of rows) if (await this.tell(row)) found++;
      const last = rows.at(-1);
      if (!last || rows.length < SESSIONS_AT_ONCE) return found;
      after = [last.tenant_id, last.id];
    }
  }

  private async tell({ tenant_id: tenantId, id, agent_id: agentId, ...row }: Row): Promise<boolean> {
    if (row.erased > 0 || row.spent_micros === row.logged) return false;
    const spent = toDollars(BigInt(row.spent_micros) as MicroUsd);
    const logged = toDollars(BigInt(row.logged) as MicroUsd);
    const said = row.said === null ? null : (parseJson(row.said) as { spent?: unknown; logged?: unknown });
    if (said && Number(said.spent) === spent && Number(said.logged) === logged) return false;
    await this.transactions.run(tenantId, (tx) => {
      this.auditLog.record(tx, haldirActor(tenantId), {
        ...{ source: 'haldir', sessionId: id, agentId, tool: 'haldir.watch', action: 'spent_differs' },
        details: { spent, logged },
        flag: `spent_differs: the session's row says that ${spent} USD are spent, its payments in the log ${logged}`,
      });
      return Promise.resolve();
    });
    return true;
  }
}

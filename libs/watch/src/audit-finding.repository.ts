import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { AuditFinding } from './audit-finding.entity.js';

/** What an agent did in one hour against what it did before, as the sums have it. */
export interface AgentHour {
  cost: MicroUsd;
  entries: number;
  denials: number;
  /** Hours before, of the last four weeks, in which the agent did anything. */
  activeHours: number;
  /** Spent in those hours. */
  earlierCost: MicroUsd;
  earlierEntries: number;
  /** Days before on which the agent did anything. */
  activeDays: number;
  /** Of those hours, how many were at this hour of the day, give or take one. */
  nearHours: number;
}

/** Whose hour it is, and which: `YYYY-MM-DDTHH`, UTC. */
interface FoundHour extends AgentHour {
  tenantId: string;
  agentId: string;
  part: string;
}

const HISTORY = '28 days';
const hours = `
  SELECT n.tenant_id, n.subject AS agent_id, n.part AS hour, n.cost_micros AS cost, n.entries::float8 AS entries, n.denials::float8 AS denials,
         h.*
    FROM audit_rollup n
   CROSS JOIN LATERAL (
         SELECT count(*)::float8 AS active_hours, coalesce(sum(cost_micros), 0)::bigint AS earlier_cost,
                coalesce(sum(entries), 0)::float8 AS earlier_entries, count(DISTINCT left(part, 10))::float8 AS active_days,
                count(*) FILTER (WHERE (right(part, 2)::integer - right(n.part, 2)::integer + 25) % 24 <= 2)::float8 AS near_hours
           FROM audit_rollup
          WHERE tenant_id = n.tenant_id AND scope = 'hour' AND subject = n.subject AND part < n.part
            AND part >= to_char($2::timestamptz AT TIME ZONE 'UTC' - interval '${HISTORY}', 'YYYY-MM-DD"T"HH24')) h
   WHERE n.scope = 'hour' AND n.part = ANY ($1)`;

interface HourRow {
  tenant_id: string;
  agent_id: string;
  hour: string;
  cost: string;
  entries: number;
  denials: number;
  active_hours: number;
  earlier_cost: string;
  earlier_entries: number;
  active_days: number;
  near_hours: number;
}

/** What is unusual in the sums over the logs, and what was told of it. */
@Injectable()
export class AuditFindingRepository {
  constructor(private readonly transactions: Transactions) {}

  /** What every agent did in some hours, each against the four weeks before it. @param parts `YYYY-MM-DDTHH`, UTC */
  async hours(parts: readonly string[], now: Date): Promise<FoundHour[]> {
    const rows = await this.transactions.queryAll<HourRow>(hours, [parts, now]);
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      agentId: row.agent_id,
      part: row.hour,
      cost: BigInt(row.cost) as MicroUsd,
      entries: row.entries,
      denials: row.denials,
      activeHours: row.active_hours,
      earlierCost: BigInt(row.earlier_cost) as MicroUsd,
      earlierEntries: row.earlier_entries,
      activeDays: row.active_days,
      nearHours: row.near_hours,
    }));
  }

  in(tx: Tx) {
    return {
      /** True for the one of scans that run at once who gets to say it. */
      claim: async (finding: Omit<AuditFinding, 'entryId'>): Promise<boolean> => {
        const insertion = tx.manager.createQueryBuilder().insert().into(AuditFinding);
        const values = { ...finding, entryId: '' };
        const { raw } = (await insertion.values(values).orIgnore().updateEntity(false).returning('kind').execute()) as {
          raw: unknown[];
        };
        return raw.length === 1;
      },
      saveEntry: async ({ entryId, ...finding }: AuditFinding): Promise<void> => {
        await tx.manager.update(AuditFinding, finding, { entryId });
      },
    };
  }
}

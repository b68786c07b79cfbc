import { Injectable } from '@nestjs/common';
import { Clock, haldirActor, type MicroUsd, toDollars } from '@haldir/kernel';
import { AuditLog, LogSums } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';

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

export interface Finding {
  kind: 'spend_spike' | 'denial_burst' | 'unusual_hour';
  reason: string;
}

const SPIKE_FACTOR = 5n;
const SPIKE_FROM = 1_000_000n as MicroUsd;
const SPIKE_HISTORY_HOURS = 5;
const DENIALS_FROM = 10;
const USUAL_DAYS = 7;
const USUAL_ENTRIES = 100;

/** What is unusual about an agent's hour. Pure, so that what counts as unusual can be read in one place. */
export function findingsOf(hour: AgentHour): Finding[] {
  const findings: Finding[] = [];
  const { cost, activeHours, earlierCost, entries, denials } = hour;
  if (
    activeHours >= SPIKE_HISTORY_HOURS &&
    cost >= SPIKE_FROM &&
    cost * BigInt(activeHours) > earlierCost * SPIKE_FACTOR
  ) {
    findings.push({
      kind: 'spend_spike',
      reason: `spend_spike: ${toDollars(cost)} USD within an hour, over ${SPIKE_FACTOR.toString()} times the agent's average`,
    });
  }
  if (denials >= DENIALS_FROM && denials * 2 >= entries) {
    findings.push({
      kind: 'denial_burst',
      reason: `denial_burst: ${denials} of ${entries} actions within an hour were denied`,
    });
  }
  if (hour.activeDays >= USUAL_DAYS && hour.earlierEntries >= USUAL_ENTRIES && hour.nearHours === 0) {
    findings.push({
      kind: 'unusual_hour',
      reason: `unusual_hour: active at an hour of the day unlike any on ${hour.activeDays} days before`,
    });
  }
  return findings;
}

const HISTORY = '28 days';
const hours = {
  name: 'audit_rollup.hours.v1',
  text: `SELECT n.tenant_id, n.subject AS agent_id, n.part AS hour, n.cost_micros AS cost, n.entries::float8 AS entries, n.denials::float8 AS denials,
                h.*
           FROM audit_rollup n
          CROSS JOIN LATERAL (
                SELECT count(*)::float8 AS active_hours, coalesce(sum(cost_micros), 0)::bigint AS earlier_cost,
                       coalesce(sum(entries), 0)::float8 AS earlier_entries, count(DISTINCT left(part, 10))::float8 AS active_days,
                       count(*) FILTER (WHERE (right(part, 2)::integer - right(n.part, 2)::integer + 25) % 24 <= 2)::float8 AS near_hours
                  FROM audit_rollup
                 WHERE tenant_id = n.tenant_id AND scope = 'hour' AND subject = n.subject AND part < n.part
                   AND part >= to_char($2::timestamptz AT TIME ZONE 'UTC' - interval '${HISTORY}', 'YYYY-MM-DD"T"HH24')) h
          WHERE n.scope = 'hour' AND n.part = ANY ($1)`,
};
/** Of scans that run at once one gets to say it. */
const claim = {
  name: 'audit_finding.claim.v1',
  text: `INSERT INTO audit_finding (tenant_id, agent_id, kind, hour, entry_id) VALUES ($1, $2, $3, $4, '') ON CONFLICT DO NOTHING
         RETURNING 1 AS claimed`,
};
const saveEntry = {
  name: 'audit_finding.entry.v1',
  text: 'UPDATE audit_finding SET entry_id = $5 WHERE tenant_id = $1 AND agent_id = $2 AND kind = $3 AND hour = $4',
};

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

/**
 * Looks over the current hour and the one before for what single entries do not show. A finding is a new entry, flagged;
 * entries already written never change. Each is told once per agent, kind and hour, however often the scan runs.
 */
@Injectable()
export class AnomalyScan {
  constructor(
    private readonly auditLog: AuditLog,
    private readonly sums: LogSums,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Answers how many findings are new. */
  async run(): Promise<number> {
    await this.sums.advanceAll();
    const now = this.clock.now();
    const parts = [hourOf(now), hourOf(new Date(now.getTime() - 3_600_000))];
    let found = 0;
    for (const row of await this.transactions.queryAll<HourRow>(hours, [parts, now])) {
      const hour: AgentHour = {
        cost: BigInt(row.cost) as MicroUsd,
        entries: row.entries,
        denials: row.denials,
        activeHours: row.active_hours,
        earlierCost: BigInt(row.earlier_cost) as MicroUsd,
        earlierEntries: row.earlier_entries,
        activeDays: row.active_days,
        nearHours: row.near_hours,
      };
      for (const finding of findingsOf(hour)) if (await this.tell(row, finding)) found++;
    }
    return found;
  }

  private tell({ tenant_id: tenantId, agent_id: agentId, hour }: HourRow, finding: Finding): Promise<boolean> {
    return this.transactions.run(tenantId, async (tx) => {
      const key = [tenantId, agentId, finding.kind, hour];
      if ((await tx.query(claim, key)).length === 0) return false;
      const { entryId } = this.auditLog.record(tx, haldirActor(tenantId), {
        source: 'haldir',
        agentId,
        tool: 'haldir.watch',
        action: 'anomaly_detected',
        details: { kind: finding.kind, hour },
        flag: finding.reason,
      });
      tx.send(saveEntry, [...key, entryId]);
      return true;
    });
  }
}

/** `YYYY-MM-DDTHH` in UTC, as the sums name an hour. */
function hourOf(time: Date): string {
  return time.toISOString().slice(0, 13);
}

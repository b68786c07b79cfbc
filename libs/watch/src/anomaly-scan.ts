import { Injectable } from '@nestjs/common';
import { Clock, haldirActor, type MicroUsd, toDollars } from '@haldir/kernel';
import { AuditLog, LogSums } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';
import { type AuditFinding } from './audit-finding.entity.js';
import { type AgentHour, AuditFindingRepository } from './audit-finding.repository.js';

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

/**
 * Looks over the current hour and the one before for what single entries do not show. A finding is a new entry, flagged;
 * entries already written never change. Each is told once per agent, kind and hour, however often the scan runs.
 */
@Injectable()
export class AnomalyScan {
  constructor(
    private readonly auditLog: AuditLog,
    private readonly sums: LogSums,
    private readonly findings: AuditFindingRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Answers how many findings are new. */
  async run(): Promise<number> {
    await this.sums.advanceAll();
    const now = this.clock.now();
    const parts = [hourOf(now), hourOf(new Date(now.getTime() - 3_600_000))];
    let found = 0;
    for (const { tenantId, agentId, part, ...hour } of await this.findings.hours(parts, now)) {
      for (const finding of findingsOf(hour)) if (await this.tell({ tenantId, agentId, hour: part }, finding)) found++;
    }
    return found;
  }

  private tell(place: Pick<AuditFinding, 'tenantId' | 'agentId' | 'hour'>, finding: Finding): Promise<boolean> {
    const { tenantId, agentId, hour } = place;
    return this.transactions.run(tenantId, async (tx) => {
      const findings = this.findings.in(tx);
      const key = { ...place, kind: finding.kind };
      if (!(await findings.claim(key))) return false;
      const { entryId } = this.auditLog.record(tx, haldirActor(tenantId), {
        source: 'haldir',
        agentId,
        tool: 'haldir.watch',
        action: 'anomaly_detected',
        details: { kind: finding.kind, hour },
        flag: finding.reason,
      });
      await findings.saveEntry({ ...key, entryId });
      return true;
    });
  }
}

/** `YYYY-MM-DDTHH` in UTC, as the sums name an hour. */
function hourOf(time: Date): string {
  return time.toISOString().slice(0, 13);
}

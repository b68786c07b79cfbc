import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Log } from '@haldir/runtime';
import { LogSumsRepository, type LogTotals, type SumFilter, type Share } from './log-sums.repository.js';

export interface SpendSums {
  entries: number;
  cost: MicroUsd;
  byTool: Share[];
  byAgent: Share[];
}

const ADVANCE_AT_ONCE = 10_000;
/** Entries behind the mark from which on it is moved in the background: the more at once, the fewer rows are written. */
const WORTH_MOVING = 2000;
/** Entries behind the mark that a reader adds up itself; beyond that it moves the mark first. */
const TAIL_MAX = 2 * ADVANCE_AT_ONCE;

/**
 * Sums over each log, at a cost that does not grow with it: kept in rows up to a mark, and added up behind it. The mark is
 * moved in the background, or by a reader who finds it far behind.
 */
@Injectable()
export class LogSums {
  constructor(
    private readonly sums: LogSumsRepository,
    private readonly log: Log,
  ) {}

  async spend(tenantId: string, filter: SumFilter): Promise<SpendSums> {
    await this.catchUp(tenantId);
    const { byTool, byAgent } = await this.sums.shares(tenantId, filter);
    return {
      // Every entry has a tool, if only the empty one.
      entries: byTool.reduce((sum, { entries }) => sum + entries, 0),
      cost: byTool.reduce((sum, { cost }) => sum + cost, 0n) as MicroUsd,
      byTool,
      byAgent: byAgent.filter(({ name }) => name !== ''),
    };
  }

  /** @param today `YYYY-MM-DD`, UTC; @param most how many tools and agents are named */
  async totals(tenantId: string, today: string, most: number): Promise<LogTotals> {
    await this.catchUp(tenantId);
    return this.sums.totals(tenantId, today, most);
  }

  /** What entries of a day and those after it cost. @param day `YYYY-MM-DD`, UTC */
  async costSince(tenantId: string, day: string): Promise<MicroUsd> {
    await this.catchUp(tenantId);
    return this.sums.costSince(tenantId, day);
  }

  /** Moves the mark of every log that has many entries behind it. Several processes may do it at once. */
  advanceFar(): Promise<void> {
    return this.advanceEach(WORTH_MOVING);
  }

  /** Moves the mark of every log that has entries behind it, for those who go by the rows alone. */
  advanceAll(): Promise<void> {
    return this.advanceEach(1);
  }

  private async advanceEach(atLeast: number): Promise<void> {
    for (const tenantId of await this.sums.logsBehind(atLeast)) {
      try {
        await this.advance(tenantId);
      } catch (error) {
        this.log.error({ event: 'audit.sums_failed', tenant_id: tenantId }, error);
      }
    }
  }

  private async catchUp(tenantId: string): Promise<void> {
    if ((await this.sums.behind(tenantId)) > TAIL_MAX) await this.advance(tenantId);
  }

  private async advance(tenantId: string): Promise<void> {
    while ((await this.sums.advance(tenantId, ADVANCE_AT_ONCE)) === ADVANCE_AT_ONCE);
  }
}

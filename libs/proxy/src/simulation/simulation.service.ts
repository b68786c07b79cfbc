import { Injectable } from '@nestjs/common';
import { ApprovalRuleService } from '@haldir/approvals';
import { LoggedCallRepository } from '@haldir/audit-log';
import { DIALOGUE_MS } from '@haldir/kernel';
import { HaldirConfig } from '@haldir/runtime';
import { type Policy } from '../policies/policy.js';
import { PolicyRepository } from '../policies/policy.repository.js';
import { longestCallMs } from '../policies/call-deadline.js';
import { WINDOW_MS } from '../policies/rate-window.js';
import { type RecordedCall, toRecordedCall, type Verdict } from './recorded-call.js';
import { type ChangedCall, type PolicyTally, Simulation } from './simulation.js';

/** What to decide again, and under what. */
export interface SimulationRequest {
  /** Null for the policies that stand. */
  policies: readonly Policy[] | null;
  /** Of what was logged from then on, and before then. */
  from: Date | null;
  to: Date | null;
  agentId: string | null;
  /** Of changed calls that are named. */
  maxChanged: number;
}

export interface SimulationResult {
  calls: number;
  verdicts: Record<Verdict | 'undecidable', number>;
  /** How many verdicts differ from what was decided, and the first of them. */
  changes: number;
  changed: ChangedCall[];
  byPolicy: ReadonlyMap<string, PolicyTally>;
  /** Null unless there was more than is decided at once: when the last entry was logged that was read. */
  truncatedAt: Date | null;
}

/** Positions of the log that are read at a time; between pages, others have their turn. */
const PAGE = 4_000;
const MAX_CALLS = 1_000_000;
/** A log may hold much beside calls. */
const MAX_POSITIONS = 4_000_000;

/** Decides the past calls of a tenant again: what would policies have made of them? Reads only, and in pages. */
@Injectable()
export class SimulationService {
  constructor(
    private readonly calls: LoggedCallRepository,
    private readonly policies: PolicyRepository,
    private readonly rules: ApprovalRuleService,
    private readonly config: HaldirConfig,
  ) {}

  async run(tenantId: string, request: SimulationRequest): Promise<SimulationResult> {
    const [standing, rules, stretch, warmUp] = await Promise.all([
      request.policies ?? this.policies.byTenants([tenantId]).then((found) => found.get(tenantId) ?? []),
      this.rules.allOf(tenantId),
      this.calls.stretch(tenantId, request.from, request.to),
      // Windows are as full at the beginning as they were.
      request.from === null
        ? null
        : this.calls.stretch(tenantId, new Date(request.from.getTime() - WINDOW_MS - 1000), request.from),
    ]);
    const replay = new Replay(new Simulation(standing, rules), stretch.from, request.maxChanged);
    const first = warmUp?.from ?? stretch.from;
    const end = Math.min(stretch.to, first + MAX_POSITIONS);
    let truncatedAt: Date | null = null;
    let readUntil: Date | null = null;
    for (let from = first; from < end; from += PAGE) {
      const logged = await this.calls.read(tenantId, { from, to: Math.min(end, from + PAGE) }, request.agentId);
      for (const entry of logged) replay.put(toRecordedCall(entry), entry.seq);
      readUntil = logged.at(-1)?.at ?? readUntil;
      // Whatever is logged from now on was decided no longer ago than a call takes.
      if (readUntil) {
        const longestMs = longestCallMs(this.config.upstreams.longestMs) + DIALOGUE_MS;
        replay.decideBefore(readUntil.getTime() - longestMs);
      }
      const isEnough = replay.result.calls + replay.waiting >= MAX_CALLS && from + PAGE < stretch.to;
      if (isEnough || (from + PAGE >= end && end < stretch.to)) truncatedAt = readUntil;
      if (isEnough) break;
    }
    replay.decideBefore(Infinity);
    return { ...replay.result, truncatedAt };
  }
}

/** Puts calls, which are logged as they end, into the order in which they were decided. */
class Replay {
  readonly result: Omit<SimulationResult, 'truncatedAt'>;
  private queue: RecordedCall[] = [];
  private decidedUpTo = -Infinity;

  constructor(
    private readonly simulation: Simulation,
    /** Calls at positions before this one only fill the windows. */
    private readonly firstCounted: number,
    private readonly maxChanged: number,
  ) {
    this.result = {
      calls: 0,
      verdicts: { allowed: 0, blocked: 0, held: 0, undecidable: 0 },
      changes: 0,
      changed: [],
      byPolicy: simulation.tallies,
    };
  }

  get waiting(): number {
    return this.queue.length;
  }

  put(call: RecordedCall | null, seq: number): void {
    if (call && orderOf(call) >= this.decidedUpTo) this.queue.push(call);
    else if (seq >= this.firstCounted) this.note('undecidable');
  }

  decideBefore(time: number): void {
    // Of calls of one moment, those that were let through had their places first.
    this.queue.sort(
      (one, other) =>
        orderOf(one) - orderOf(other) ||
        Number(one.was !== 'allowed') - Number(other.was !== 'allowed') ||
        one.seq - other.seq,
    );
    const rest = this.queue.findIndex((call) => orderOf(call) >= time);
    const due = this.queue.splice(0, rest === -1 ? this.queue.length : rest);
    for (const call of due) this.decide(call);
    this.decidedUpTo = Math.max(this.decidedUpTo, time);
  }

  private decide(call: RecordedCall): void {
    const counts = call.seq >= this.firstCounted;
    const verdict = this.simulation.decide(call, counts);
    if (!counts) return;
    this.note(verdict);
    if (verdict === call.was) return;
    this.result.changes++;
    if (this.result.changed.length < this.maxChanged) this.result.changed.push(this.simulation.explain(call, verdict));
  }

  private note(verdict: Verdict | 'undecidable'): void {
    this.result.calls++;
    this.result.verdicts[verdict]++;
  }
}

function orderOf({ facts, at }: RecordedCall): number {
  return (facts?.ratedAt ?? at).getTime();
}

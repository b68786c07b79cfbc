import { type ApprovalRule } from '@haldir/approvals';
import { CallPolicies } from '../calls/call-policies.js';
import { type Policy, type PolicySubject, type PolicyType, type RateLimit } from '../policies/policy.js';
import { type Refusal, refusals } from '../policies/policy-refusal.js';
import { answerTo, countCall, isFull, type RateWindow, WINDOW_MS } from '../policies/rate-window.js';
import { type RecordedCall, type Verdict } from './recorded-call.js';

/** A call about which the policies say something else than was decided. */
export interface ChangedCall {
  call: RecordedCall;
  wouldBe: Verdict;
  /** Of a call that would be blocked. */
  refusals: readonly Refusal[];
  /** The rule or policy for which a call would be held. */
  heldBy: string | null;
}

/** Calls that a policy refuses, or holds for approval; one in `log_only` would. */
export interface PolicyTally {
  type: PolicyType;
  mode: Policy['mode'];
  blocked: number;
  held: number;
}

/** Tools with agents whose policies are kept found. */
const MAX_FOUND = 10_000;
const PRUNE_EVERY = 10_000;

/**
 * Decides recorded calls again under some policies, in the order in which they are put in: that of their time. The approval
 * rules are those of today; what a human approved then is approved.
 */
export class Simulation {
  readonly tallies: ReadonlyMap<string, PolicyTally>;
  private readonly found = new Map<string, CallPolicies>();
  private readonly windows = new Map<string, RateWindow>();
  private decided = 0;

  constructor(
    private readonly policies: readonly Policy[],
    private readonly rules: readonly ApprovalRule[],
  ) {
    this.tallies = new Map(policies.map(({ id, rule, mode }) => [id, { type: rule.type, mode, blocked: 0, held: 0 }]));
  }

  /**
   * What would become of the call. It counts towards rates from now on if it is let through.
   *
   * @param counts whether the tallies should have it
   */
  decide({ facts }: RecordedCall, counts: boolean): Verdict {
    if (facts === null) return 'blocked';
    if (++this.decided % PRUNE_EVERY === 0) this.forgetBefore(facts.ratedAt.getTime() - WINDOW_MS - 1000);
    const { subject, ratedAt, isApproved, destructive } = facts;
    const policies = this.policiesFor(subject);
    const { limits, logOnly } = policies.rateRequest;
    const rates = { full: this.fullOf(limits, facts), logOnly: this.fullOf(logOnly, facts) };
    const { refusing, wouldRefuse } = policies.decide(subject, rates);
    if (counts) {
      for (const { id } of [...refusing, ...wouldRefuse]) this.count(id, 'blocked');
      for (const { id } of policies.wouldHold) this.count(id, 'held');
    }
    if (refusing.length > 0) return 'blocked';
    const rule = isApproved ? null : policies.approvalRule(this.rules, subject, destructive);
    if (rule) {
      if (counts) this.count(rule.ruleId, 'held');
      return 'held';
    }
    countCall((limit) => this.windowOf(limit, subject.agentId), policies.rateRequest, ratedAt);
    return 'allowed';
  }

  /** Why a call would be blocked or held; to be asked before the next call is decided. */
  explain(call: RecordedCall, wouldBe: Verdict): ChangedCall {
    const { facts } = call;
    if (facts === null) return { call, wouldBe, refusals: [], heldBy: null };
    const { subject, ratedAt, destructive } = facts;
    const policies = this.policiesFor(subject);
    const rates = answerTo((limit) => this.windowOf(limit, subject.agentId), policies.rateRequest, ratedAt);
    const { refusing } = policies.decide(subject, rates);
    return {
      call,
      wouldBe,
      refusals: wouldBe === 'blocked' ? refusals(refusing, subject, rates.full) : [],
      heldBy: wouldBe === 'held' ? (policies.approvalRule(this.rules, subject, destructive)?.ruleId ?? null) : null,
    };
  }

  /** Only whether, not until when: that takes longer, and is asked of few. */
  private fullOf(limits: readonly RateLimit[], { subject, ratedAt }: NonNullable<RecordedCall['facts']>): Set<string> {
    const full = limits.filter((limit) => isFull(this.windowOf(limit, subject.agentId), limit, ratedAt));
    return new Set(full.map(({ policyId }) => policyId));
  }

  private count(id: string, what: 'blocked' | 'held'): void {
    // A rule that holds a call is no policy.
    const tally = this.tallies.get(id);
    if (tally) tally[what]++;
  }

  private windowOf({ policyId }: RateLimit, agentId: string): RateWindow {
    const key = `${policyId} ${agentId}`;
    let window = this.windows.get(key);
    if (!window) this.windows.set(key, (window = { times: [], counts: [] }));
    return window;
  }

  private forgetBefore(time: number): void {
    for (const [key, { times }] of this.windows) if ((times.at(-1) ?? 0) < time) this.windows.delete(key);
  }

  private policiesFor(subject: PolicySubject): CallPolicies {
    // A tool may have lost its own name on the way, when another upstream came with it.
    const { upstream, toolNames, allowedNames, agentId } = subject;
    const key = `${upstream ?? ''} ${toolNames[0] ?? ''} ${allowedNames.length} ${agentId}`;
    const known = this.found.get(key);
    if (known) return known;
    const policies = new CallPolicies('', this.policies, subject);
    if (this.found.size >= MAX_FOUND) this.found.clear();
    this.found.set(key, policies);
    return policies;
  }
}

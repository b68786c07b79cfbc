import { type ApprovalRule, firstMatch } from '@haldir/approvals';
import { ruledAmount } from '../policies/amount.js';
import {
  applying,
  approvalsRequired,
  type Policy,
  type PolicySubject,
  type PolicyType,
  type RateLimit,
  rateLimits,
  toolsNamedBy,
} from '../policies/policy.js';
import { answerTo, countCall, isFull, type RateWindow, type RateRequest, WINDOW_MS } from '../policies/rate-window.js';
import { type RecordedCall, type Verdict } from './recorded-call.js';
import { refuses, type Refusal, refusals } from '../policies/policy-refusal.js';

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

/** What policies mean for the calls of one tool by one agent. */
interface Ruled {
  /** Those whose answer is the same for all of these calls. */
  alwaysRefusing: readonly Policy[];
  alwaysLogOnly: readonly Policy[];
  /** Those that decide by amount and hour. */
  asked: readonly Policy[];
  askedLogOnly: readonly Policy[];
  approvals: readonly Policy[];
  logOnlyApprovals: readonly Policy[];
  rateRequest: RateRequest;
}

const MAX_RULED = 10_000;
const PRUNE_EVERY = 10_000;
const NO_RATES = new Map<string, Date | null>();

/**
 * Decides recorded calls again under some policies, in the order in which they are put in: that of their time. The approval
 * rules are those of today; what a human approved then is approved.
 */
export class Simulation {
  readonly tallies: ReadonlyMap<string, PolicyTally>;
  private readonly ruled = new Map<string, Ruled>();
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
    const { subject, ratedAt, isApproved } = facts;
    const ruled = this.ruledFor(subject);
    const isRefused = this.tally(ruled.alwaysRefusing, ruled.asked, ruled.rateRequest.limits, facts, counts);
    this.tally(ruled.alwaysLogOnly, ruled.askedLogOnly, ruled.rateRequest.logOnly, facts, counts);
    if (counts) for (const { id } of ruled.logOnlyApprovals) this.count(id, 'held');
    if (isRefused) return 'blocked';
    const heldBy = this.heldBy(facts, ruled);
    if (heldBy !== null && !isApproved) {
      if (counts) this.count(heldBy, 'held');
      return 'held';
    }
    countCall((limit) => this.windowOf(limit, subject.agentId), ruled.rateRequest, ratedAt);
    return 'allowed';
  }

  /** Why a call would be blocked or held; to be asked before the next call is decided. */
  explain(call: RecordedCall, wouldBe: Verdict): ChangedCall {
    const { facts } = call;
    if (facts === null) return { call, wouldBe, refusals: [], heldBy: null };
    const ruled = this.ruledFor(facts.subject);
    const { full } = answerTo((limit) => this.windowOf(limit, facts.subject.agentId), ruled.rateRequest, facts.ratedAt);
    const { enforced } = applying(this.policies, facts.subject);
    return {
      call,
      wouldBe,
      refusals: wouldBe === 'blocked' ? refusals(enforced, facts.subject, full) : [],
      heldBy: wouldBe === 'held' ? this.heldBy(facts, ruled) : null,
    };
  }

  private heldBy({ subject, destructive }: NonNullable<RecordedCall['facts']>, ruled: Ruled): string | null {
    const { toolNames, amount } = subject;
    const rule = firstMatch(this.rules, {
      ...{ toolNames, destructive },
      amount: ruledAmount(amount),
    });
    return rule?.ruleId ?? ruled.approvals[0]?.id ?? null;
  }

  private tally(
    always: readonly Policy[],
    asked: readonly Policy[],
    limits: readonly RateLimit[],
    { subject, ratedAt }: NonNullable<RecordedCall['facts']>,
    counts: boolean,
  ): boolean {
    const refusing = [
      ...always.map(({ id }) => id),
      ...asked.filter((policy) => refuses(policy, subject, NO_RATES)).map(({ id }) => id),
      ...limits
        .filter((limit) => isFull(this.windowOf(limit, subject.agentId), limit, ratedAt))
        .map(({ policyId }) => policyId),
    ];
    if (counts) for (const id of refusing) this.count(id, 'blocked');
    return refusing.length > 0;
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

  private ruledFor(subject: PolicySubject): Ruled {
    const key = `${subject.upstream ?? ''} ${subject.toolNames[0] ?? ''} ${subject.agentId}`;
    const known = this.ruled.get(key);
    if (known) return known;
    const { enforced, logOnly } = applying(this.policies, subject);
    const isNaming = ({ rule }: Policy): boolean => toolsNamedBy(rule) !== null;
    const always = (policies: readonly Policy[]): Policy[] =>
      policies.filter((policy) => isNaming(policy) && refuses(policy, subject, NO_RATES));
    const asked = (policies: readonly Policy[]): Policy[] =>
      policies.filter(({ rule: { type } }) => type === 'spend_limit' || type === 'time_window');
    const ruled: Ruled = {
      alwaysRefusing: always(enforced),
      alwaysLogOnly: always(logOnly),
      asked: asked(enforced),
      askedLogOnly: asked(logOnly),
      approvals: approvalsRequired(enforced),
      logOnlyApprovals: approvalsRequired(logOnly),
      rateRequest: {
        tenantId: '',
        agentId: subject.agentId,
        limits: rateLimits(enforced),
        logOnly: rateLimits(logOnly),
      },
    };
    if (this.ruled.size >= MAX_RULED) this.ruled.clear();
    this.ruled.set(key, ruled);
    return ruled;
  }
}

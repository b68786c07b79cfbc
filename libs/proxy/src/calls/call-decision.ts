import { type RuleMatch } from '@haldir/approvals';
import { type StartedCall } from '@haldir/audit-log';
import { type CallCharge } from '@haldir/vault';
import {
  type ApplyingPolicies,
  applying,
  approvalsRequired,
  type Policy,
  type PolicySubject,
  rateLimits,
} from '../policies/policy.js';
import { type Amount } from '../policies/amount.js';
import { type RateAnswer, type RateRequest } from '../policies/rate-window.js';
import { type Refusal, type Refusals, refusals } from '../policies/policy-refusal.js';

/** How a call was decided: what is written down beside its outcome. */
export interface CallNotes {
  decidedAt: Date;
  /** When its rates were decided, by the clock that the windows go by; null when no limit applied. */
  ratedAt: Date | null;
  amount: Amount;
  /** Of the request whose approval let it through. */
  approvalId: string | null;
  /** The price that is held until it is known what became of the call. */
  charge: CallCharge | null;
  /** The record of the call, once it is about to leave. */
  started: StartedCall | null;
  /** Whether a secret that it did not use was masked in what its upstream said. */
  masked: boolean;
  /** What policies in `log_only` would have done. */
  wouldBlock: readonly Refusal[];
  wouldHold: readonly Policy[];
}

/** A call before the policies of its tenant. */
export class CallDecision {
  /** The call's place under the rate limits. */
  readonly rateRequest: RateRequest;
  readonly notes: CallNotes;
  private readonly policies: ApplyingPolicies;

  constructor(
    tenantId: string,
    policies: readonly Policy[],
    readonly subject: PolicySubject,
  ) {
    this.policies = applying(policies, subject);
    const { enforced, logOnly } = this.policies;
    const { agentId, amount, at } = subject;
    this.rateRequest = { tenantId, agentId, limits: rateLimits(enforced), logOnly: rateLimits(logOnly) };
    this.notes = {
      decidedAt: at,
      ratedAt: null,
      amount,
      approvalId: null,
      charge: null,
      started: null,
      masked: false,
      wouldBlock: refusals(logOnly, subject),
      wouldHold: approvalsRequired(logOnly),
    };
  }

  /** Whether the call alone is reason enough to refuse it. */
  get isRefused(): boolean {
    return refusals(this.policies.enforced, this.subject).length > 0;
  }

  /** Every policy that refuses the call, once its rates are known; null when none does. Notes what `log_only` policies make of it. */
  refusedBy(rates: RateAnswer): Refusals | null {
    const { enforced, logOnly } = this.policies;
    if (rates.at !== null) {
      this.notes.ratedAt = rates.at;
      this.notes.wouldBlock = refusals(logOnly, this.subject, rates.logOnly);
    }
    const [first, ...others] = refusals(enforced, this.subject, rates.full);
    return first ? [first, ...others] : null;
  }

  /** The policy that asks for an approval of the call; null when none does. */
  get approvalRule(): RuleMatch | null {
    const [first] = approvalsRequired(this.policies.enforced);
    return first
      ? { ruleId: first.id, type: 'require_approval', reason: `the policy ${first.id} asks for approval of the call` }
      : null;
  }
}

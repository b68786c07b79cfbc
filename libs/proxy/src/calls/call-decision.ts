import { type ApprovalRule, type RuleMatch } from '@haldir/approvals';
import { type StartedCall } from '@haldir/audit-log';
import { type JsonObject } from '@haldir/mcp';
import { type CallCharge } from '@haldir/vault';
import { type Policy, type PolicySubject } from '../policies/policy.js';
import { type RateAnswer, type RateRequest } from '../policies/rate-window.js';
import { type Refusal, type Refusals, refusals } from '../policies/policy-refusal.js';
import { type DecidedBy, type NotedBeside } from './call-details.js';
import { CallPolicies, NO_RATES } from './call-policies.js';

/** How a call was decided: what is written down beside its outcome. */
export interface CallNotes extends Omit<DecidedBy, 'destructive' | 'goesByOwnName'>, NotedBeside {
  /** The price that is held until it is known what became of the call. */
  charge: CallCharge | null;
  /** The record of the call, once it is about to leave. */
  started: StartedCall | null;
  /** Whether a secret that it did not use was masked in what its upstream said. */
  masked: boolean;
  /** What the client has answered to its upstream in the middle of it. */
  answers: JsonObject[];
  /** What policies in `log_only` would have done. */
  wouldBlock: readonly Refusal[];
  wouldHold: readonly Policy[];
}

/** A call that is made, before the policies of its tenant. */
export class CallDecision {
  readonly notes: CallNotes;
  /** Whether the call alone is reason enough to refuse it. */
  readonly isRefused: boolean;
  private readonly policies: CallPolicies;

  constructor(
    tenantId: string,
    policies: readonly Policy[],
    readonly subject: PolicySubject,
  ) {
    this.policies = new CallPolicies(tenantId, policies, subject);
    const { refusing, wouldRefuse } = this.policies.decide(subject, NO_RATES);
    this.isRefused = refusing.length > 0;
    const { amount, at } = subject;
    this.notes = {
      decidedAt: at,
      ratedAt: null,
      amount,
      approvalId: null,
      charge: null,
      started: null,
      masked: false,
      answers: [],
      wouldBlock: refusals(wouldRefuse, subject, NO_RATES.logOnly),
      wouldHold: this.policies.wouldHold,
    };
  }

  /** The call's place under the rate limits. */
  get rateRequest(): RateRequest {
    return this.policies.rateRequest;
  }

  /** Every policy that refuses the call, once its rates are known; null when none does. Notes what `log_only` policies make of it. */
  refusedBy(rates: RateAnswer): Refusals | null {
    const { refusing, wouldRefuse } = this.policies.decide(this.subject, rates);
    if (rates.at !== null) {
      this.notes.ratedAt = rates.at;
      this.notes.wouldBlock = refusals(wouldRefuse, this.subject, rates.logOnly);
    }
    const [first, ...others] = refusals(refusing, this.subject, rates.full);
    return first ? [first, ...others] : null;
  }

  /** The approval rule or policy that asks for an approval of the call; null when none does. */
  approvalRule(rules: readonly ApprovalRule[], destructive: boolean): RuleMatch | null {
    return this.policies.approvalRule(rules, this.subject, destructive);
  }
}

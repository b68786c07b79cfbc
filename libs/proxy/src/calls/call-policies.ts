import { type ApprovalRule, firstMatch, type RuleMatch } from '@haldir/approvals';
import { ruledAmount } from '../policies/amount.js';
import {
  applying,
  approvalsRequired,
  type Policy,
  type PolicySubject,
  type RateLimit,
  rateLimits,
  toolsNamedBy,
} from '../policies/policy.js';
import { type FullRates, refuses } from '../policies/policy-refusal.js';
import { type RateRequest } from '../policies/rate-window.js';
import { refusingNames } from '../policies/subject-names.js';

/** The rate limits that have no room for a call. */
type FullLimits = Pick<FullRates, 'has'>;

const NONE: FullRates = new Map();
export const NO_RATES = { full: NONE, logOnly: NONE };

/** What policies make of a call: those that refuse it, and those in `log_only` that would, in their order. */
export interface PolicyAnswer {
  refusing: readonly Policy[];
  wouldRefuse: readonly Policy[];
}

/**
 * The policies of a tenant as they apply to the calls of one tool by one agent. A call is decided by them alone, whether it is made
 * or simulated: who asks brings the rates.
 */
export class CallPolicies {
  /** The place of each of these calls under the rate limits. */
  readonly rateRequest: RateRequest;
  /** Those in `log_only` that would have an approval asked for. */
  readonly wouldHold: readonly Policy[];
  private readonly enforced: OfOneMode;
  private readonly logOnly: OfOneMode;

  /** @param subject one of the calls */
  constructor(tenantId: string, policies: readonly Policy[], subject: PolicySubject) {
    const { enforced, logOnly } = applying(policies, subject);
    this.enforced = new OfOneMode(enforced, subject);
    this.logOnly = new OfOneMode(logOnly, subject);
    this.wouldHold = this.logOnly.approvals;
    const { agentId } = subject;
    this.rateRequest = { tenantId, agentId, limits: this.enforced.limits, logOnly: this.logOnly.limits };
  }

  decide(subject: PolicySubject, { full, logOnly }: { full: FullLimits; logOnly: FullLimits }): PolicyAnswer {
    return { refusing: this.enforced.refusing(subject, full), wouldRefuse: this.logOnly.refusing(subject, logOnly) };
  }

  /** The approval rule or policy that asks for an approval of the call, with the others that would; null when none does. */
  approvalRule(rules: readonly ApprovalRule[], subject: PolicySubject, destructive: boolean): RuleMatch | null {
    const match = firstMatch(rules, ruleSubjectOf(subject, destructive));
    const policyIds = this.enforced.approvals.map(({ id }) => id);
    if (match) return { ...match, otherRuleIds: [...match.otherRuleIds, ...policyIds] };
    const [first, ...others] = policyIds;
    if (first === undefined) return null;
    const reason = `the policy ${first} asks for approval of the call`;
    return { ruleId: first, type: 'require_approval', reason, otherRuleIds: others };
  }
}

class OfOneMode {
  readonly limits: readonly RateLimit[];
  readonly approvals: readonly Policy[];
  /** Without those that refuse none of these calls by its name. */
  private readonly asked: readonly { policy: Policy; always: boolean }[];

  constructor(policies: readonly Policy[], subject: PolicySubject) {
    this.limits = rateLimits(policies);
    this.approvals = approvalsRequired(policies);
    this.asked = policies.flatMap((policy) => {
      const always = toolsNamedBy(policy.rule) !== null;
      return always && !refuses(policy, subject, NONE) ? [] : [{ policy, always }];
    });
  }

  refusing(subject: PolicySubject, full: FullLimits): Policy[] {
    return this.asked.flatMap(({ policy, always }) => (always || refuses(policy, subject, full) ? [policy] : []));
  }
}

/** A call as approval rules see it. */
export function ruleSubjectOf(subject: PolicySubject, destructive: boolean) {
  return { toolNames: refusingNames(subject), amount: ruledAmount(subject.amount), destructive };
}

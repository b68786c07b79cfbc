import { Injectable } from '@nestjs/common';
import {
  ApprovalGrants,
  ApprovalService,
  type ApprovalSubject,
  DetailsTooLong,
  type GrantableCall,
  hashedArguments,
  holderOf,
  OF_SECRET,
  type RuleMatch,
  shownDetails,
} from '@haldir/approvals';
import { type NewStart, StartedCalls } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';
import { CallCharges } from '@haldir/vault';
import { mentionsSecrets } from '../masking/secret-references.js';
import { policyVersion } from '../policies/policy-version.js';
import { RateLimiter } from '../policies/rate-limiter.js';
import { answersIn, basisOfCall, digestOfArguments, digestOfCall, type ExactCall } from './call-digest.js';
import { type ApprovalTerms, type Candidate } from './call-kind.js';
import { type CallOutcome } from './call-outcome.js';
import { ruleSubjectOf } from './call-policies.js';

/** Longer than any outage: what ends the hold of a price is the entry of its call. */
const HOLD_MS = 24 * 60 * 60_000;

/** What a call may not be made without. */
export interface Needs {
  /** Why it needs an approval; null when it needs none. */
  match: RuleMatch | null;
  /** Asked for once, by a call that needs an approval. */
  terms: () => ApprovalTerms;
  /** The record that the call is made, as it is then. */
  start: () => NewStart;
}

/** What keeps a call from being made once its policies have let it through. */
type Stopped = Extract<
  CallOutcome<never>,
  { kind: 'blocked' | 'unshowable' | 'held' | 'denied' | 'no_session' | 'unaffordable' }
>;

/** Secure: a call's approval, its price and its place under the rate limits. */
@Injectable()
export class SecureStep {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly approvals: ApprovalService,
    private readonly grants: ApprovalGrants,
    private readonly charges: CallCharges,
    private readonly started: StartedCalls,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Uses a grant that covers the call, or else an approval of exactly it, if it needs one, and its place under the rate limits, and holds its price; null when
   * the call may be made. What is used up is committed before the call leaves, together with the record that it is made, so that a
   * crash costs an approval and a price, and never doubles a call.
   */
  async secure(candidate: Candidate, { match, terms, start }: Needs): Promise<Stopped | null> {
    const { request, traits, decision } = candidate;
    const { rateRequest, notes } = decision;
    const { price } = traits;
    if (match === null && price === null) {
      const refusals = decision.refusedBy(await this.limiter.take(rateRequest));
      return refusals ? { kind: 'blocked', refusals } : null;
    }
    const subject = match && (await toSubject(candidate, terms()));
    if (subject instanceof DetailsTooLong) return { kind: 'unshowable', error: subject };
    const { actor, sessionId, heedsDenials = false } = request;
    await this.started.holdLease();
    return this.transactions.run(actor.tenantId, async (tx): Promise<Stopped | null> => {
      const rates = await this.limiter.lock(tx, [rateRequest]);
      const refusals = decision.refusedBy(rates.answer(rateRequest));
      if (refusals) return { kind: 'blocked', refusals };
      const covering = match && subject && (await this.grants.cover(tx, subject, match));
      const answer =
        match && subject && !covering ? await this.approvals.ask(tx, subject, match, { heedsDenials }) : null;
      if (answer && answer.kind !== 'approved') return answer;
      if (price !== null) {
        const charge = await this.charges.hold(tx, { actor, sessionId, price, tool: traits.name, holdMs: HOLD_MS });
        if (!charge) return { kind: 'no_session' };
        if ('reason' in charge) return { kind: 'unaffordable', denial: charge };
        notes.charge = charge;
      }
      if (answer) {
        await this.approvals.consume(tx, actor, answer.request);
        notes.approvalId = answer.request.id;
      }
      if (covering && subject) {
        await this.grants.use(tx, subject, covering);
        notes.approvalId = covering.grant.id;
      }
      rates.count(rateRequest);
      rates.save();
      notes.started = await this.started.beginIn(tx, start());
      return null;
    });
  }
}

/** What whoever decides about the candidate is shown of it, all of it. */
async function shownTo({ request }: Candidate, { shown }: ApprovalTerms): Promise<string | DetailsTooLong> {
  const answers = answersIn(request.dialogue);
  try {
    return await shownDetails({ ...shown, arguments: request.arguments, ...(answers ? { answers } : {}) });
  } catch (error) {
    if (error instanceof DetailsTooLong) return error;
    throw error;
  }
}

/** What is asked of whoever decides about the candidate. */
async function toSubject(candidate: Candidate, terms: ApprovalTerms): Promise<ApprovalSubject | DetailsTooLong> {
  const details = await shownTo(candidate, terms);
  if (details instanceof DetailsTooLong) return details;
  const { request, session, traits, policies, rules, decision } = candidate;
  const { actor, sessionId } = request;
  const { action, tool, fingerprint } = terms;
  const ruled = ruleSubjectOf(decision.subject, traits.destructive);
  const { agentId } = session;
  const call: ExactCall = {
    tenantId: actor.tenantId,
    holder: holderOf(actor, session),
    upstream: traits.upstream,
    tool,
    fingerprint,
    arguments: request.arguments,
    answers: answersIn(request.dialogue),
    amount: ruled.amount,
    price: traits.price,
    policyVersion: policyVersion(policies, rules),
  };
  return {
    actor,
    sessionId,
    agentId,
    tool: traits.name,
    action,
    ...ruled,
    // The rule's own words.
    reason: '',
    details,
    digest: digestOfCall(call),
    // What its agent was granted is not for what a session of it was handed on to.
    grantable:
      session.parentId === null
        ? grantableOf(call, { agentId, asker: actor.id, destructive: traits.destructive })
        : null,
  };
}

/** Null for a call that answers what its tool has asked, which is about that question alone, and for one of too many arguments. */
function grantableOf(
  call: ExactCall,
  { agentId, asker, destructive }: { agentId: string; asker: string; destructive: boolean },
): GrantableCall | null {
  const hashOf = (value: unknown): string => (mentionsSecrets({ value }) ? OF_SECRET : '') + digestOfArguments(value);
  const args = call.answers === null ? hashedArguments(call.arguments, hashOf) : null;
  return args && { basis: basisOfCall(call, { agentId, asker }), destructive, arguments: args };
}

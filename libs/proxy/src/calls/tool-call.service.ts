import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import {
  type ApprovalRule,
  ApprovalRuleService,
  ApprovalService,
  type ApprovalSubject,
  DetailsTooLong,
  firstMatch,
  holderOf,
  type RuleMatch,
  shownDetails,
} from '@haldir/approvals';
import { type NewStart, StartedCalls } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';
import { type Session, SessionService } from '@haldir/gate';
import { mirrorHeaders } from '@haldir/mcp';
import { HaldirConfig, Log } from '@haldir/runtime';
import { CallCharges } from '@haldir/vault';
import { CallSecrets, type Filled } from './call-secrets.js';
import { CallConclusions } from './call-conclusions.js';
import { CatalogueFreshness, type Patience } from '../registry/catalogue-freshness.js';
import { answersIn, digestOfCall } from './call-digest.js';
import { policyVersion } from '../policies/policy-version.js';
import { amountOf, ruledAmount } from '../policies/amount.js';
import { type CallNotes, CallDecision } from './call-decision.js';
import { type NamedSubject, namesOf } from '../policies/subject-names.js';
import { type Policy, type PolicySubject } from '../policies/policy.js';
import {
  CALL_SCOPES,
  type CallOutcome,
  type CallWatch,
  type NewCall,
  orTooLong,
  type PerformedCall,
  toEntry,
  toUnknownEntry,
} from './tool-call.js';
import { longestCallMs } from '../policies/call-deadline.js';
import { qualifiedName, splitToolName } from '../catalogue/tool-name.js';
import { RateLimiter } from '../policies/rate-limiter.js';
import { type Masker } from '../masking/masker.js';
import { type FoundTools, ToolLookup, type ToolTarget } from '../catalogue/tool-lookup.js';
import { UpstreamConnections } from '../upstreams/upstream-connections.js';
import { type CallEnding, UpstreamStatistics } from '../upstreams/upstream-statistics.js';
import { UpstreamHealthService } from '../registry/upstream-health.service.js';
import { type CallOptions, isInputRequired, UpstreamRpcError, UpstreamUnreachable } from '../mcp-client/index.js';

/** A call of a live session to one known tool, which no policy refuses as far as the call alone can tell. */
interface Candidate {
  call: NewCall;
  session: Session;
  target: ToolTarget;
  policies: readonly Policy[];
  rules: readonly ApprovalRule[];
  decision: CallDecision;
}

/** What became of a call, and how it was decided. */
interface Decided {
  target: ToolTarget | null;
  outcome: CallOutcome;
  notes: CallNotes | null;
}

/** A call that may go on, or what became of it. */
type Considered = Candidate | Decided;

type Watched = CallWatch & Pick<CallOptions, 'dialogue' | 'repeatable' | 'onMasked'>;

/** Longer than any outage: what ends the hold of a price is the entry of its call. */
const HOLD_MS = 24 * 60 * 60_000;

/** Calls tools for sessions, under the tenant's policies and approval rules. */
@Injectable()
export class ToolCallService {
  constructor(
    private readonly sessions: SessionService,
    private readonly tools: ToolLookup,
    private readonly rules: ApprovalRuleService,
    private readonly approvals: ApprovalService,
    private readonly limiter: RateLimiter,
    private readonly charges: CallCharges,
    private readonly health: UpstreamHealthService,
    private readonly freshness: CatalogueFreshness,
    private readonly secrets: CallSecrets,
    private readonly connections: UpstreamConnections,
    private readonly statistics: UpstreamStatistics,
    private readonly conclusions: CallConclusions,
    private readonly started: StartedCalls,
    private readonly transactions: Transactions,
    private readonly config: HaldirConfig,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** Longer than any call takes. */
  get longestMs(): number {
    return longestCallMs(this.config.upstreams.timeoutMs);
  }

  /**
   * Decides a call and, if it may be made, makes it: session, scope, policies, approval, upstream, in this order. What became of it
   * has to be written down by `CallConclusions` before anybody is answered.
   *
   * @throws Unavailable when the database is not there; nothing has left then
   */
  async perform(call: NewCall, watch: CallWatch = {}): Promise<PerformedCall> {
    const startedAt = performance.now();
    const { session, target, outcome, notes } = await this.decide(call, watch);
    const entry = toEntry(call, session, target, outcome, performance.now() - startedAt, notes);
    return { actor: call.actor, outcome, entry, notes };
  }

  private async decide(call: NewCall, watch: CallWatch): Promise<Decided & { session: Session | null }> {
    const { actor, tool } = call;
    const { tenantId } = actor;
    const patience = {
      arrivedAt: performance.now(),
      deadlineMs: this.config.upstreams.timeoutMs,
      signal: watch.signal,
    };
    // One round trip for all that a decision needs.
    const [session, lookup, rules, refusal = null] = await Promise.all([
      this.sessions.findLive(actor, call.sessionId),
      this.tools.find(actor, tool),
      this.rules.allOf(tenantId),
      call.recheck?.(),
    ]);
    if (refusal)
      return { session, target: soleTarget(lookup), outcome: { kind: 'no_key', error: refusal }, notes: null };
    if (!session) return { session, target: null, outcome: { kind: 'no_session' }, notes: null };
    if (!CALL_SCOPES.some((scope) => session.grants(scope)))
      return { session, target: soleTarget(lookup), outcome: { kind: 'no_scope' }, notes: null };

    const first = await this.consider(call, session, lookup, rules);
    // Nobody has the tool; perhaps an upstream that was dead when it was registered.
    const again =
      'outcome' in first &&
      first.outcome.kind === 'unknown_tool' &&
      lookup.targets.length === 0 &&
      (await this.health.recover(tenantId, splitToolName(tool)?.upstream ?? null));
    const found = again ? await this.consider(call, session, await this.tools.find(actor, tool), rules) : first;
    const considered =
      'outcome' in found || this.freshness.isFresh(found.target) ? found : await this.reconsider(found, patience);
    if ('outcome' in considered) return { session, ...considered };
    const { target } = considered;
    const outcome: CallOutcome =
      target.pending === null
        ? await this.letThrough(considered, watch)
        : { kind: 'drifted', upstream: target.name, tool: target.tool };
    return { session, target, outcome, notes: considered.decision.notes };
  }

  /** The upstream may have changed the tool since it was asked last: what it says now decides. */
  private async reconsider(candidate: Candidate, patience: Patience): Promise<Considered> {
    const { call, session, target, rules } = candidate;
    const error = await this.freshness.confirm(target, patience);
    // Without notes: it was decided by no policy.
    if (error) return { target, outcome: { kind: 'unreachable', error }, notes: null };
    return this.consider(call, session, await this.tools.find(call.actor, call.tool), rules);
  }

  /** What can be told of a call without counting it; policies mean unknown tools by the name that was called. */
  private async consider(
    call: NewCall,
    session: Session,
    lookup: FoundTools,
    rules: readonly ApprovalRule[],
  ): Promise<Considered> {
    const { targets, policies } = lookup;
    const target = soleTarget(lookup);
    if (target && call.repeats && !call.repeats(mirrorHeaders(target.mirrored, call.arguments)))
      return { target, outcome: { kind: 'mismatched' }, notes: null };
    const decision = new CallDecision(
      call.actor.tenantId,
      policies,
      toPolicySubject(call, session, target, this.clock.now()),
    );
    if (decision.isRefused) {
      const refusals = decision.refusedBy(await this.limiter.look(decision.wish));
      if (refusals) return { target, outcome: { kind: 'blocked', refusals }, notes: decision.notes };
    }
    if (!target) {
      const outcome: CallOutcome = { kind: 'unknown_tool', upstreams: targets.map(({ name }) => name).sort() };
      return { target, outcome, notes: decision.notes };
    }
    return { call, session, target, policies, rules, decision };
  }

  /** Asks for the candidate's place under the rate limits and for its approval, and makes the call if it has both. */
  private async letThrough(candidate: Candidate, watch: CallWatch): Promise<CallOutcome> {
    const { call, session, target, rules, decision } = candidate;
    // Before anyone is asked to approve what could not be made anyway.
    const refusal = await this.secrets.check(call, session, target);
    if (refusal) return { kind: 'no_secret', refusal };
    const match = firstMatch(rules, toRuleSubject(candidate)) ?? decision.approvalRule;
    if (match === null && target.price === null) {
      const refusals = decision.refusedBy(await this.limiter.take(decision.wish));
      if (refusals) return { kind: 'blocked', refusals };
    } else {
      const stopped = await this.secure(candidate, match);
      if (stopped) return stopped;
    }
    const filled = await this.secrets.fill(call, session, target).catch((error: unknown) => {
      this.giveUp(candidate);
      throw error;
    });
    decision.notes.started ??= await this.started.begin(toStart(candidate));
    return 'refused' in filled
      ? { kind: 'no_secret', refusal: filled.refused }
      : this.forward(candidate, filled, watch);
  }

  /** A call that was secured and does not leave gives its price back. */
  private giveUp({ call, session, target, decision: { notes } }: Candidate): void {
    if (!notes.started) return;
    const outcome: CallOutcome = { kind: 'unreachable', error: new UpstreamUnreachable('aborted', { sent: false }) };
    const entry = toEntry(call, session, target, outcome, 0, notes);
    this.conclusions.concludeLater({ actor: call.actor, outcome, entry, notes });
  }

  /**
   * Uses an approval of this exact call if it needs one, and its place under the rate limits, and holds its price; null when
   * the call may be made. What is used up is committed before the call leaves, together with the record that it is made, so that a
   * crash costs an approval and a price, and never doubles a call.
   */
  private async secure(candidate: Candidate, match: RuleMatch | null): Promise<CallOutcome | null> {
    const details = match === null ? null : await shownIn(candidate);
    if (details instanceof DetailsTooLong) return { kind: 'unshowable', error: details };
    const subject = toSubject(candidate, details);
    await this.started.holdLease();
    const { wish, notes } = candidate.decision;
    return this.transactions.run(subject.actor.tenantId, async (tx): Promise<CallOutcome | null> => {
      const rates = await this.limiter.lock(tx, [wish]);
      const refusals = candidate.decision.refusedBy(rates.answer(wish));
      if (refusals) return { kind: 'blocked', refusals };
      const { heedsDenials = false } = candidate.call;
      const answer = match === null ? null : await this.approvals.ask(tx, subject, match, { heedsDenials });
      if (answer && answer.kind !== 'approved') return answer;
      const { price } = candidate.target;
      if (price !== null) {
        const { actor, sessionId, tool } = subject;
        const charge = await this.charges.hold(tx, { actor, sessionId, price, tool, holdMs: HOLD_MS });
        if (!charge) return { kind: 'no_session' };
        if ('reason' in charge) return { kind: 'unaffordable', denial: charge };
        notes.charge = charge;
      }
      if (answer) {
        await this.approvals.consume(tx, subject.actor, answer.request);
        notes.approvalId = answer.request.id;
      }
      rates.count(wish);
      rates.save();
      notes.started = await this.started.beginIn(tx, toStart(candidate));
      return null;
    });
  }

  private async forward({ call, target, decision }: Candidate, filled: Filled, watch: CallWatch): Promise<CallOutcome> {
    const startedAt = performance.now();
    // What was approved is sent once; a price is held for the call, however often it is sent.
    const repeatable = target.repeatable && decision.notes.approvalId === null;
    const { dialogue } = call;
    const onMasked = (): void => void (decision.notes.masked = true);
    const options = { ...watch, ...(dialogue ? { dialogue } : {}), repeatable, onMasked };
    const outcome = await this.ask(target, filled, options);
    this.statistics.count(target.tenantId, target.name, performance.now() - startedAt, endingOf(outcome));
    await this.health.noteCall(target, outcome.kind === 'unreachable' ? outcome.error : null);
    return outcome;
  }

  private async ask(target: ToolTarget, { arguments: args, masker }: Filled, watch: Watched): Promise<CallOutcome> {
    try {
      const { mirrored } = target;
      const options = { ...(masker ? masked(watch, masker) : watch), mirrored };
      const result = await this.connections.use(target, (client) => client.callTool(target.tool, args, options));
      return isInputRequired(result) ? { kind: 'asked', question: result } : { kind: 'answered', result };
    } catch (error) {
      if (error instanceof UpstreamRpcError) return { kind: 'refused', error };
      if (error instanceof UpstreamUnreachable) return { kind: 'unreachable', error };
      // A peer can be wrong in ways nobody thought of; the call may have reached it all the same.
      this.log.error({ event: 'proxy.call_failed', upstream: target.name }, error);
      return { kind: 'unreachable', error: new UpstreamUnreachable('protocol', { cause: error }) };
    }
  }
}

/**
 * Nothing of the answer is seen before values are taken out of it. Of how far the call has come only the numbers are told: a
 * value could be divided over several messages.
 */
function masked(watch: Watched, masker: Masker): Watched & Pick<CallOptions, 'mask'> {
  const { onProgress, ...rest } = watch;
  return {
    ...rest,
    ...(onProgress ? { onProgress: ({ message: _, ...progress }) => onProgress(progress) } : {}),
    mask: (message) => masker.mask(message),
  };
}

function toStart({ call, session, target, decision: { notes } }: Candidate): NewStart {
  const { actor, claim = null } = call;
  const entry = toUnknownEntry(call, session, target, notes);
  return { actor, entry, paymentId: notes.charge?.paymentId ?? null, claim };
}

function soleTarget({ targets }: FoundTools): ToolTarget | null {
  return targets.length === 1 ? (targets[0] ?? null) : null;
}

/** As it was called, and without what may be its upstream. */
function namesOfUnknown(name: string): NamedSubject {
  const parts = splitToolName(name);
  const toolNames = parts ? [name, parts.tool] : [name];
  return { toolNames, allowedNames: toolNames };
}

function endingOf(outcome: CallOutcome): CallEnding {
  if (outcome.kind === 'asked') return 'answered';
  if (outcome.kind !== 'answered') return 'failed';
  return outcome.result.isError === true ? 'tool_error' : 'answered';
}

function toPolicySubject(call: NewCall, session: Session, target: ToolTarget | null, at: Date): PolicySubject {
  return {
    upstream: target ? target.name : (splitToolName(call.tool)?.upstream ?? null),
    ...(target ? namesOf(target.name, target.tool, target.goesByOwnName) : namesOfUnknown(call.tool)),
    agentId: session.agentId,
    amount: amountOf(call.arguments, target?.price),
    at,
  };
}

/** What approval rules ask about. */
function toRuleSubject({ target, decision }: Candidate): Pick<ApprovalSubject, 'toolNames' | 'amount' | 'destructive'> {
  const { toolNames, amount } = decision.subject;
  return { toolNames, amount: ruledAmount(amount), destructive: target.destructive };
}

/** What whoever decides about the candidate is shown of it, all of it. */
function shownIn({ call, target }: Candidate): Promise<string | DetailsTooLong> {
  const answers = answersIn(call.dialogue);
  const { name: upstream, tool } = target;
  return shownDetails({ upstream, tool, arguments: call.arguments, ...(answers ? { answers } : {}) }).catch(orTooLong);
}

function toSubject(candidate: Candidate, details: string | null): ApprovalSubject {
  const { call, session, target, policies, rules } = candidate;
  const { actor, sessionId } = call;
  const { tenantId } = actor;
  const holder = holderOf(actor, sessionId);
  const { tool, fingerprint } = target;
  const answers = answersIn(call.dialogue);
  const ruled = toRuleSubject(candidate);
  return {
    actor,
    sessionId,
    agentId: session.agentId,
    tool: qualifiedName(target),
    action: 'tool_call',
    ...ruled,
    // The rule's own words.
    reason: '',
    details,
    digest: digestOfCall({
      ...{ tenantId, holder, upstream: target, tool, fingerprint, arguments: call.arguments, amount: ruled.amount },
      ...{ answers, price: target.price, policyVersion: policyVersion(policies, rules) },
    }),
  };
}

import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { type ApprovalRule, ApprovalRuleService } from '@haldir/approvals';
import { type NewStart, StartedCalls } from '@haldir/audit-log';
import { type Session, SessionService } from '@haldir/gate';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { RateLimiter } from '../policies/rate-limiter.js';
import { UpstreamCircuits } from '../registry/upstream-circuits.js';
import { UpstreamLimits } from '../upstreams/upstream-limits.js';
import { CallConclusions } from './call-conclusions.js';
import { CallDecision, type CallNotes } from './call-decision.js';
import { toEntry, toUnknownEntry } from './call-entry.js';
import { type CallKind, type Candidate, type EntryWords, type Found } from './call-kind.js';
import { CALL_SCOPES, type CallOutcome, type PerformedCall } from './call-outcome.js';
import { type CallRequest, type CallWatch } from './call-request.js';
import { NotedElicitation } from './noted-elicitation.js';
import { endingOf } from './outcome-table.js';
import { SecureStep } from './secure-step.js';
import { SendStep } from './send-step.js';

/** What became of a call, and how it was decided. */
interface Decided<Target, Result> {
  target: Target | null;
  outcome: CallOutcome<Result>;
  notes: CallNotes | null;
}

/** What a request is decided by. */
interface ReadyCall<Request> {
  request: Request;
  session: Session;
  rules: readonly ApprovalRule[];
}

/**
 * The way of every call, of a tool, a resource or a prompt:
 *
 *     resolve (session, target, policies, rules) → decide (scope, policies, rates) → secure (approval, price, rate)
 *       → fill (secrets) → send → record
 *
 * What differs between them is their `CallKind`. Simulation decides logged calls by the same `CallPolicies`, and has none of the other
 * steps.
 */
@Injectable()
export class CallPipeline {
  constructor(
    private readonly sessions: SessionService,
    private readonly rules: ApprovalRuleService,
    private readonly limiter: RateLimiter,
    private readonly securing: SecureStep,
    private readonly started: StartedCalls,
    private readonly sending: SendStep,
    private readonly conclusions: CallConclusions,
    private readonly limits: UpstreamLimits,
    private readonly circuits: UpstreamCircuits,
    private readonly clock: Clock,
  ) {}

  /**
   * Decides a call and, if it may be made, makes it. What became of it has to be written down by `CallConclusions` before anybody
   * is answered.
   *
   * @throws Unavailable when the database is not there; nothing has left then
   */
  async perform<Request extends CallRequest, Target, Filled, Result>(
    kind: CallKind<Request, Target, Filled, Result>,
    request: Request,
    watch: CallWatch = {},
  ): Promise<PerformedCall<Result>> {
    const startedAt = performance.now();
    const ended = await this.run(kind, request, watch);
    const entry = toEntry(kind.words, request, { ...ended, latencyMs: performance.now() - startedAt });
    return { actor: request.actor, outcome: ended.outcome, entry, notes: ended.notes };
  }

  private async run<Request extends CallRequest, Target, Filled, Result>(
    kind: CallKind<Request, Target, Filled, Result>,
    request: Request,
    watch: CallWatch,
  ): Promise<Decided<Target, Result> & { session: Session | null }> {
    const { actor } = request;
    const arrivedAt = performance.now();
    // One round trip for all that a decision needs.
    const [session, found, rules, refusal = null] = await Promise.all([
      this.sessions.findLive(actor, request.sessionId),
      kind.find(request),
      this.rules.allOf(actor.tenantId),
      request.recheck?.(),
    ]);
    const target = sole(found);
    if (refusal) return { session, target, outcome: { kind: 'no_key', error: refusal }, notes: null };
    if (!session) return { session, target: null, outcome: { kind: 'no_session' }, notes: null };
    if (!CALL_SCOPES.some((scope) => session.grants(scope)))
      return { session, target, outcome: { kind: 'no_scope' }, notes: null };

    const asked = { request, session, rules };
    let decided = await this.decide(kind, asked, found);
    if ('outcome' in decided && decided.outcome.kind === 'unknown' && found.targets.length === 0) {
      const recovered = await kind.recover(request);
      if (recovered) decided = await this.decide(kind, asked, recovered);
    }
    if (!('outcome' in decided)) {
      const { upstream } = decided.traits;
      const alone = this.circuits.refusal(upstream);
      if (alone)
        return { session, target: decided.target, outcome: { kind: 'unreachable', error: alone }, notes: null };
      const { timeoutMs: deadlineMs } = this.limits.of(upstream);
      const deadline = { arrivedAt, deadlineMs, signal: watch.signal };
      const confirmed = await kind.confirm(request, decided.target, deadline);
      // Without notes: it was decided by no policy.
      if (confirmed instanceof UpstreamUnreachable) {
        await this.circuits.noteUnconfirmed(upstream, confirmed, performance.now() - arrivedAt);
        return { session, target: decided.target, outcome: { kind: 'unreachable', error: confirmed }, notes: null };
      }
      if (confirmed) decided = await this.decide(kind, asked, confirmed);
    }
    if ('outcome' in decided) return { session, ...decided };
    const outcome = await this.letThrough(kind, decided, watch);
    return { session, target: decided.target, outcome, notes: decided.decision.notes };
  }

  /** What can be told of a call without counting it; policies mean unknown targets by the name that was asked for. */
  private async decide<Request extends CallRequest, Target, Filled, Result>(
    kind: CallKind<Request, Target, Filled, Result>,
    { request, session, rules }: ReadyCall<Request>,
    found: Found<Target>,
  ): Promise<Candidate<Request, Target> | Decided<Target, Result>> {
    const target = sole(found);
    const contradiction = target && kind.contradiction(request, target);
    if (contradiction) return { target, outcome: contradiction, notes: null };
    const decision = new CallDecision(request.actor.tenantId, found.policies, {
      ...kind.subjectOf(request, target),
      agentId: session.agentId,
      at: this.clock.now(),
    });
    const { notes } = decision;
    if (decision.isRefused) {
      const refusals = decision.refusedBy(await this.limiter.look(decision.rateRequest));
      if (refusals) return { target, outcome: { kind: 'blocked', refusals }, notes };
    }
    if (!target) {
      const upstreams = found.targets.map((each) => kind.upstreamOf(each)).sort();
      return { target, outcome: { kind: 'unknown', upstreams }, notes };
    }
    const { policies } = found;
    return { request, session, target, traits: kind.traitsOf(request, target), policies, rules, decision };
  }

  /** Secures what the candidate needs, and makes the call if it has all of it. */
  private async letThrough<Request extends CallRequest, Target, Filled, Result>(
    kind: CallKind<Request, Target, Filled, Result>,
    candidate: Candidate<Request, Target>,
    watch: CallWatch,
  ): Promise<CallOutcome<Result>> {
    const { request, target, traits, decision } = candidate;
    const { notes } = decision;
    const unable = await kind.check(candidate);
    if (unable) return unable;
    const match = decision.approvalRule(candidate.rules, traits.destructive);
    if (match && !traits.approvable) return { kind: 'unapprovable', reason: match.reason };
    const start = (): NewStart => toStart(kind.words, candidate);
    const stopped = await this.securing.secure(candidate, {
      match,
      terms: () => kind.approvalTerms(request, target),
      start,
    });
    if (stopped) return stopped;
    const here = kind.answerHere(candidate);
    if (here !== null) return { kind: 'answered', result: here };

    const giveUp = (error: unknown): never => {
      this.giveUp(kind.words, candidate);
      throw error;
    };
    const content = await kind.fill(candidate).catch(giveUp);
    notes.started ??= await this.started.begin(start());
    if ('refused' in content) return { kind: 'no_secret', refusal: content.refused };
    const { dialogue } = request;
    const onMasked = (): void => void (notes.masked = true);
    const { elicitation: client, ...others } = watch;
    const elicitation = client && new NotedElicitation(client, notes);
    const options = {
      ...others,
      onMasked,
      ...(dialogue ? { dialogue } : {}),
      ...(elicitation ? { elicitation } : {}),
    };
    return this.sending
      .send(
        traits,
        { failureEvent: kind.failureEvent, signal: watch.signal, askedMs: () => elicitation?.askedMs ?? 0 },
        (within) => kind.send(candidate, content.filled, { ...options, ...within }),
        (outcome) => endingOf(outcome, kind.words),
      )
      .catch(giveUp);
  }

  /** A call that was secured and does not leave gives its price back. */
  private giveUp<Request extends CallRequest, Target, Result>(
    words: EntryWords<Request, Target, Result>,
    { request, session, target, decision: { notes } }: Candidate<Request, Target>,
  ): void {
    if (!notes.started) return;
    const outcome = { kind: 'unreachable', error: new UpstreamUnreachable('aborted', { sent: false }) } as const;
    const entry = toEntry(words, request, { session, target, outcome, notes, latencyMs: 0 });
    this.conclusions.concludeLater({ actor: request.actor, outcome, entry, notes });
  }
}

function sole<Target>({ targets }: Found<Target>): Target | null {
  return targets.length === 1 ? (targets[0] ?? null) : null;
}

function toStart<Request extends CallRequest, Target, Result>(
  words: EntryWords<Request, Target, Result>,
  { request, session, target, decision: { notes } }: Candidate<Request, Target>,
): NewStart {
  const { actor, claim = null } = request;
  const entry = toUnknownEntry(words, request, { session, target, notes });
  return { actor, entry, paymentId: notes.charge?.paymentId ?? null, claim };
}

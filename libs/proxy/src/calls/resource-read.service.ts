import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, canonicalJson, type JsonValue } from '@haldir/kernel';
import {
  type ApprovalRule,
  ApprovalRuleService,
  ApprovalService,
  type ApprovalSubject,
  DetailsTooLong,
  firstMatch,
  holderOf,
  shownDetails,
} from '@haldir/approvals';
import { AuditLog, type StartedCall, StartedCalls } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';
import { type Session, SessionService } from '@haldir/gate';
import { Log, Metrics } from '@haldir/runtime';
import { answersIn, digestOfCall } from './call-digest.js';
import { policyVersion } from '../policies/policy-version.js';
import { amountOf, ruledAmount } from '../policies/amount.js';
import { ResourceCatalogue } from '../catalogue/resource-catalogue.js';
import { type NewRead, type ReadOutcome, type ReadWatch, toReadEntry, toUnknownReadEntry } from './resource-read.js';
import { type ResourceTarget, promptsNamed, resourcesAt } from '../catalogue/resource-lookup.js';
import { CallDecision } from './call-decision.js';
import { type NamedSubject, namesOf, namesOfAddress } from '../policies/subject-names.js';
import { type Policy } from '../policies/policy.js';
import { PolicyRepository } from '../policies/policy.repository.js';
import { CALL_SCOPES, orTooLong, UNSHOWABLE } from './tool-call.js';
import { RateLimiter } from '../policies/rate-limiter.js';
import { UpstreamConnections } from '../upstreams/upstream-connections.js';
import { UpstreamStatistics } from '../upstreams/upstream-statistics.js';
import { UpstreamHealthService } from '../registry/upstream-health.service.js';
import { type CallOptions, UpstreamRpcError, UpstreamUnreachable } from '../mcp-client/index.js';

interface Candidate {
  read: NewRead;
  session: Session;
  target: ResourceTarget;
  decision: CallDecision;
  policies: readonly Policy[];
  rules: readonly ApprovalRule[];
}

/** What became of a read; `started` once it has left. */
interface Decided {
  session: Session | null;
  target: ResourceTarget | null;
  outcome: ReadOutcome;
  started?: StartedCall;
  /** Whether a secret was masked in what the upstream said. */
  masked?: boolean;
}

/** What an upstream that completes nothing would answer. */
const NO_COMPLETION = { completion: { values: [], total: 0, hasMore: false } };

/** Reads resources and gets prompts for sessions, under the policies and approval rules that tools are under. */
@Injectable()
export class ResourceReadService {
  constructor(
    private readonly sessions: SessionService,
    private readonly resources: ResourceCatalogue,
    private readonly policies: PolicyRepository,
    private readonly rules: ApprovalRuleService,
    private readonly approvals: ApprovalService,
    private readonly limiter: RateLimiter,
    private readonly health: UpstreamHealthService,
    private readonly connections: UpstreamConnections,
    private readonly statistics: UpstreamStatistics,
    private readonly auditLog: AuditLog,
    private readonly started: StartedCalls,
    private readonly transactions: Transactions,
    private readonly metrics: Metrics,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /**
   * Decides a read and, if it may be done, does it: session, scope, policies, approval, upstream, in this order. Its outcome is
   * in the audit log before this answers.
   */
  async read(read: NewRead, watch: ReadWatch = {}): Promise<ReadOutcome> {
    const startedAt = performance.now();
    const { session, target, outcome, started = null, masked = false } = await this.decide(read, watch);
    const entry = toReadEntry(read, session, target, outcome, performance.now() - startedAt, masked);
    if (started) await this.started.end(started, entry);
    else await this.auditLog.append(read.actor, entry);
    this.metrics.countDecision('proxy', decisionOf(outcome));
    return outcome;
  }

  private async decide(read: NewRead, watch: ReadWatch): Promise<Decided> {
    const { actor, method, subject } = read;
    const { tenantId } = actor;
    const [session, { known, names }, byTenant, rules, refusal = null] = await Promise.all([
      this.sessions.findLive(actor, read.sessionId),
      this.resources.known(actor),
      this.policies.byTenants([tenantId]),
      this.rules.allOf(tenantId),
      read.recheck?.(),
    ]);
    if (refusal) return { session, target: null, outcome: { kind: 'no_key', error: refusal } };
    if (!session) return { session, target: null, outcome: { kind: 'no_session' } };
    const targets =
      subject.kind === 'prompt'
        ? promptsNamed(known, subject.name, names)
        : resourcesAt(known, subject.name, method === 'completion/complete');
    const target = targets.length === 1 ? (targets[0] ?? null) : null;
    if (!CALL_SCOPES.some((scope) => session.grants(scope))) return { session, target, outcome: { kind: 'no_scope' } };
    const policies = byTenant.get(tenantId) ?? [];
    const named = namesOfSubject(subject, target);
    const decision = new CallDecision(tenantId, policies, {
      ...named,
      ...{ upstream: target?.upstream.name ?? null, agentId: session.agentId },
      ...{ amount: amountOf(read.arguments), at: this.clock.now() },
    });
    if (decision.isRefused) {
      const refusals = decision.refusedBy(await this.limiter.look(decision.wish));
      if (refusals) return { session, target, outcome: { kind: 'blocked', refusals } };
    }
    if (!target) {
      const upstreams = targets.map(({ upstream }) => upstream.name);
      return { session, target, outcome: { kind: 'unknown', upstreams } };
    }
    const candidate = { read, session, target, decision, policies, rules };
    const stopped = await this.stopped(candidate);
    return stopped ? { session, target, outcome: stopped } : this.forward(candidate, watch);
  }

  /** Takes the candidate's place under the rate limits, and its approval where a rule asks for one; null when it has both. */
  private async stopped(candidate: Candidate): Promise<ReadOutcome | null> {
    const { read, decision, rules } = candidate;
    const match = firstMatch(rules, toRuleSubject(decision)) ?? decision.approvalRule;
    if (match && read.method === 'completion/complete') return { kind: 'unapprovable', reason: match.reason };
    if (!match) {
      const refusals = decision.refusedBy(await this.limiter.take(decision.wish));
      return refusals ? { kind: 'blocked', refusals } : null;
    }
    const details = await shownIn(candidate);
    if (details instanceof DetailsTooLong) return { kind: 'unapprovable', reason: UNSHOWABLE };
    const subject = toSubject(candidate, details);
    return this.transactions.run(read.actor.tenantId, async (tx): Promise<ReadOutcome | null> => {
      const rates = await this.limiter.lock(tx, [decision.wish]);
      const refusals = decision.refusedBy(rates.answer(decision.wish));
      if (refusals) return { kind: 'blocked', refusals };
      const answer = await this.approvals.ask(tx, subject, match, { heedsDenials: true });
      if (answer.kind !== 'approved') return answer;
      await this.approvals.consume(tx, read.actor, answer.request);
      rates.count(decision.wish);
      rates.save();
      return null;
    });
  }

  private async forward({ read, session, target }: Candidate, watch: ReadWatch): Promise<Decided> {
    const { method, actor } = read;
    const { tenantId } = actor;
    const { upstream } = target;
    if (method === 'completion/complete' && !target.completions)
      return { session, target, outcome: { kind: 'answered', result: NO_COMPLETION } };
    const entry = toUnknownReadEntry(read, session, target);
    const started = await this.started.begin({ actor: read.actor, entry, paymentId: null, claim: null });
    const startedAt = performance.now();
    let masked = false;
    const outcome = await this.ask(read, target, { ...watch, onMasked: () => (masked = true) });
    const ending = outcome.kind === 'answered' ? 'answered' : 'failed';
    this.statistics.count(tenantId, upstream.name, performance.now() - startedAt, ending);
    await this.health.noteCall(upstream, outcome.kind === 'unreachable' ? outcome.error : null);
    return { session, target, outcome, started, masked };
  }

  private async ask(
    { method, params, dialogue }: NewRead,
    { upstream, id }: ResourceTarget,
    watch: ReadWatch & Pick<CallOptions, 'onMasked'>,
  ): Promise<ReadOutcome> {
    try {
      const result = await this.connections.use(upstream, (client) =>
        client.read(method, params(id), { ...watch, ...(dialogue ? { dialogue } : {}) }),
      );
      return { kind: 'answered', result };
    } catch (error) {
      if (error instanceof UpstreamRpcError) return { kind: 'refused', error };
      if (error instanceof UpstreamUnreachable) return { kind: 'unreachable', error };
      this.log.error({ event: 'proxy.read_failed', upstream: upstream.name }, error);
      return { kind: 'unreachable', error: new UpstreamUnreachable('protocol', { cause: error }) };
    }
  }
}

/** Nobody knows what an address that nobody has would mean: it has a name all the same. */
function namesOfSubject({ kind, name }: NewRead['subject'], target: ResourceTarget | null): NamedSubject {
  if (kind === 'resource') return namesOfAddress(target?.upstream.name ?? null, target?.id ?? name);
  return target
    ? namesOf(target.upstream.name, target.id, target.goesByOwnName)
    : { toolNames: [name], allowedNames: [name] };
}

function decisionOf({ kind }: ReadOutcome): 'allowed' | 'denied' | 'held' {
  if (kind === 'held') return 'held';
  return ['answered', 'refused', 'unreachable'].includes(kind) ? 'allowed' : 'denied';
}

/** What approval rules ask about: reading destroys nothing. */
function toRuleSubject({ subject }: CallDecision): Pick<ApprovalSubject, 'toolNames' | 'amount' | 'destructive'> {
  const { toolNames, amount } = subject;
  return { toolNames, amount: ruledAmount(amount), destructive: false };
}

/** What whoever decides about the candidate is shown of it, all of it. */
function shownIn({ read, target }: Candidate): Promise<string | DetailsTooLong> {
  const answers = answersIn(read.dialogue);
  const about = { upstream: target.upstream.name, method: read.method, subject: target.id };
  return shownDetails({ ...about, arguments: read.arguments, ...(answers ? { answers } : {}) }).catch(orTooLong);
}

function toSubject(candidate: Candidate, details: string): ApprovalSubject {
  const { read, session, target, decision, policies, rules } = candidate;
  const { actor, sessionId, method } = read;
  const { tenantId } = actor;
  const { upstream, id, definition } = target;
  const ruled = toRuleSubject(decision);
  const fingerprint = hash('sha256', canonicalJson(definition as JsonValue), 'hex');
  const answers = answersIn(read.dialogue);
  return {
    ...{ actor, sessionId, agentId: session.agentId, tool: `${upstream.name}.${id}`, ...ruled },
    action: method === 'prompts/get' ? 'prompt_get' : 'resource_read',
    // The rule's own words.
    reason: '',
    details,
    digest: digestOfCall({
      ...{
        tenantId,
        holder: holderOf(actor, sessionId),
        upstream,
        tool: `${method} ${id}`,
        fingerprint,
        arguments: read.arguments,
        answers,
      },
      ...{ amount: ruled.amount, price: null, policyVersion: policyVersion(policies, rules) },
    }),
  };
}

import { Injectable } from '@nestjs/common';
import { type Actor, Clock, type MicroUsd, newId, visibleText } from '@haldir/kernel';
import { AuditLog, type EntrySource } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { Outbox } from '@haldir/events';
import { HaldirConfig, Metrics } from '@haldir/runtime';
import { type ApprovalAnswer, type ApprovedRequest, type HeldRequest } from './approval-answer.js';
import { requestEntry } from './approval-entry.js';
import { requestedData } from './approval-event.js';
import { ApprovalOutcomes } from './approval-outcomes.js';
import { ApprovalRequest } from './approval-request.entity.js';
import {
  type ApprovalFilter,
  ApprovalRequestRepository,
  type DecidedRequest,
  type DetailsPart,
  type RequestFacts,
} from './approval-request.repository.js';
import { ApprovalRuleService } from './approval-rule.service.js';
import { type ApprovalSubject, type RuleMatch } from './approval-subject.js';
import { ApprovalTellings } from './approval-tellings.js';
import { ApprovalAlreadyDecided, ApprovalExpired, ApprovalNotFound } from './approvals.errors.js';
import { DecisionSignatures, type Prove } from './decision-signatures.js';
import { saidOfTerms } from './grant-terms.js';
import { type NewDecision } from './new-decision.js';

/** A request that an agent makes of its own accord. */
export interface NewApprovalRequest {
  sessionId: string;
  agentId: string;
  tool: string;
  action: string;
  amount: MicroUsd;
  reason: string;
  /** As `shownDetails` makes them. */
  details: string | null;
  ttlSeconds: number;
  /** Asks. */
  actor: Actor;
}

/** What is known of a call that waits. */
type HeldBack = Pick<ApprovalRequest, 'digest' | 'amountUnclear' | 'ruleId' | 'otherRuleIds' | 'grantable'>;

const DEFAULT_TTL_SECONDS = 3600;
/** For so long a denial is the answer to the same call, where denials are heeded. */
const DENIAL_STANDS_MS = 300_000;

@Injectable()
export class ApprovalService {
  constructor(
    private readonly requests: ApprovalRequestRepository,
    private readonly rules: ApprovalRuleService,
    private readonly signatures: DecisionSignatures,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly tellings: ApprovalTellings,
    private readonly outcomes: ApprovalOutcomes,
    private readonly metrics: Metrics,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /** The rule that holds the subject back; null when nothing does. Look-ups that arrive together share one query. */
  matchRule(
    subject: Pick<ApprovalSubject, 'actor' | 'amount' | 'toolNames' | 'destructive'>,
  ): Promise<RuleMatch | null> {
    return this.rules.match(subject);
  }

  /** Uses the approval up. Commit before the call is made, so that a crash costs an approval and never doubles a call. */
  async consume(tx: Tx, actor: Actor, approved: ApprovedRequest): Promise<void> {
    if (!(await this.requests.in(tx).consume(approved.tenantId, approved.id, this.clock.now()))) {
      throw new Error('an approval is consumed once, by whoever locked it');
    }
    this.record(tx, actor, approved, 'haldir', 'approval_consumed', {});
  }

  /**
   * Asks for approval of an exact call by its session, and answers what there is:
   *
   * - an approved, unexpired, unused request, locked for the rest of the transaction: of racing calls one gets it, the others
   *   wait and then find it used;
   * - with `heedsDenials`, the request by which a human said no within the last five minutes, if it was not asked about since;
   * - else the request that a human still has to decide: the pending one, or a new one, which announces `approval_requested`.
   *   Racing calls share it.
   */
  async ask(
    tx: Tx,
    subject: ApprovalSubject,
    match: RuleMatch,
    { heedsDenials = false }: { heedsDenials?: boolean } = {},
  ): Promise<ApprovalAnswer> {
    const requests = this.requests.in(tx);
    const now = this.clock.now();
    // A third round would mean that requests for the call expire as fast as they are made.
    for (let round = 0; round < 3; round++) {
      // In this order: one that is decided in between is found as approved.
      const waiting = await requests.lockPending(subject);
      const approved = await requests.lockApproved(subject, now);
      if (approved) return { kind: 'approved', request: approved };
      if (waiting && waiting.expiresAt > now) {
        const { id: requestId, reason, expiresAt } = waiting;
        const notified = await this.tellings.notified(tx, waiting);
        return this.held(tx, { requestId, reason, expiresAt, isNew: false, notified });
      }
      if (waiting) {
        await requests.expireOne(waiting);
        await this.outcomes.expired(tx, [waiting]);
      }
      const denial = heedsDenials ? await this.recentDenial(tx, subject, now) : null;
      if (denial !== null) return { kind: 'denied', requestId: denial };
      const request = this.newRequest({
        sessionId: subject.sessionId,
        agentId: subject.agentId,
        tool: subject.tool,
        action: subject.action,
        amount: subject.amount === 'unclear' || subject.amount === null ? (0n as MicroUsd) : subject.amount,
        reason: subject.reason === '' ? match.reason : subject.reason,
        details: subject.details,
        digest: subject.digest,
        amountUnclear: subject.amount === 'unclear',
        ruleId: match.ruleId,
        otherRuleIds: match.otherRuleIds,
        grantable: subject.grantable && JSON.stringify(subject.grantable),
        actor: subject.actor,
        ttlSeconds: DEFAULT_TTL_SECONDS,
      });
      if (await requests.insert(request)) {
        this.announce(tx, subject.actor, request, { rule_id: match.ruleId, rule: match.type });
        const { id: requestId, reason, expiresAt } = request;
        return this.held(tx, { requestId, reason, expiresAt, isNew: true, notified: 'pending' });
      }
    }
    throw new Error('no request for the call is pending, and none can be made');
  }

  /** A request of an agent's own; it lets no held call through. Announces `approval_requested`. */
  async request(tx: Tx, wanted: NewApprovalRequest): Promise<ApprovalRequest> {
    const ofItsOwn = { digest: null, amountUnclear: false, ruleId: null, otherRuleIds: [], grantable: null };
    const request = this.newRequest({ ...wanted, ...ofItsOwn });
    await this.requests.in(tx).insert(request);
    this.announce(tx, wanted.actor, request, {});
    return request;
  }

  /** @throws ApprovalNotFound when the tenant has no such request */
  async get(tenantId: string, id: string): Promise<ApprovalRequest> {
    const request = await this.requests.find(tenantId, id);
    if (!request) throw new ApprovalNotFound();
    return request;
  }

  /** The same of a request that the actor has made. */
  async getOwn({ tenantId, id: asker }: Actor, id: string): Promise<ApprovalRequest> {
    const request = await this.get(tenantId, id);
    if (request.requestedKey !== asker) throw new ApprovalNotFound();
    return request;
  }

  /**
   * A part of the details, all of which can be read so; without any, an empty one.
   *
   * @throws ApprovalNotFound when the tenant has no such request
   */
  async readDetails(tenantId: string, id: string, offset: number, limit: number): Promise<DetailsPart> {
    const part = await this.requests.readDetails(tenantId, id, offset, limit);
    if (!part) throw new ApprovalNotFound();
    return part;
  }

  list(tenantId: string, filter: ApprovalFilter, limit: number, before: string | null): Promise<ApprovalRequest[]> {
    return this.requests.list(tenantId, filter, this.clock.now(), limit, before);
  }

  /**
   * Approves or denies; of racing decisions exactly one wins. Answers what was decided. A grant is signed and logged here, and made by
   * `ApprovalGrants` in the same transaction.
   *
   * @param prove where whoever decides has signed it
   * @throws ApprovalNotFound, ApprovalAlreadyDecided, ApprovalExpired, SignatureRequired, SignatureNotGood
   */
  async decide(
    tx: Tx,
    actor: Actor,
    id: string,
    { status, by, note, grant }: NewDecision,
    prove: Prove | null = null,
  ): Promise<DecidedRequest> {
    const { tenantId, id: key } = actor;
    const requests = this.requests.in(tx);
    const now = this.clock.now();
    const decided = await requests.decide(tenantId, id, { status, by, note, key, at: now, grantId: grant?.id ?? null });
    if (!decided) {
      const request = await requests.find(tenantId, id);
      if (!request) throw new ApprovalNotFound();
      throw request.status === 'approved' || request.status === 'denied'
        ? new ApprovalAlreadyDecided(request.status)
        : new ApprovalExpired();
    }
    const signature = await this.signatures.of(tx, actor, decided, { status, terms: grant ?? null }, prove);
    if (signature) await requests.sign(decided, signature);
    const said = { decided_by: by, note, key, ...(grant ? { grant: { id: grant.id, ...saidOfTerms(grant) } } : {}) };
    this.record(tx, actor, decided, 'haldir', `approval_${status}`, { ...said, ...(signature ? { signature } : {}) });
    tx.onCommit(() => this.metrics.countDecision('approval', status === 'approved' ? 'allowed' : 'denied'));
    return decided;
  }

  /**
   * Denies every request that waits, of one agent or, without one, of the whole tenant; answers how many there were. Without an
   * entry of each: whoever stops them says so once.
   */
  denyAll(tx: Tx, { tenantId, id: key, label: by }: Actor, agentId: string | null, note: string): Promise<number> {
    return this.requests.in(tx).denyAll(tenantId, agentId, { at: this.clock.now(), by, note, key });
  }

  private held(tx: Tx, request: HeldRequest): ApprovalAnswer {
    tx.onCommit(() => this.metrics.countDecision('approval', 'held'));
    return { kind: 'held', request };
  }

  private async recentDenial(tx: Tx, subject: ApprovalSubject, now: Date): Promise<string | null> {
    const newest = await this.requests.in(tx).newest(subject);
    if (newest?.status !== 'denied' || newest.decidedAt === null) return null;
    return now.getTime() - newest.decidedAt.getTime() < DENIAL_STANDS_MS ? newest.id : null;
  }

  private newRequest(wanted: NewApprovalRequest & HeldBack): ApprovalRequest {
    const now = this.clock.now();
    const { actor, ttlSeconds, tool, action, reason, details, ...facts } = wanted;
    return Object.assign(new ApprovalRequest(), {
      tenantId: actor.tenantId,
      id: newId('apr'),
      ...facts,
      requestedKey: actor.id,
      // What a human reads must not hide anything; what runs is what the digest stands for.
      tool: visibleText(tool),
      action: visibleText(action),
      reason: visibleText(reason),
      details,
      status: 'pending' as const,
      createdAt: now,
      expiresAt: new Date(now.getTime() + ttlSeconds * 1000),
      decidedAt: null,
      decidedBy: null,
      decisionNote: null,
      decidedKey: null,
      signature: null,
      grantId: null,
      consumedAt: null,
      outcome: null,
    });
  }

  private announce(tx: Tx, actor: Actor, request: ApprovalRequest, rule: Record<string, string>): void {
    this.record(tx, actor, request, 'session', 'approval_requested', rule);
    const data = requestedData(request, rule, this.config.publicBase);
    this.outbox.publish(tx, request.tenantId, { type: 'approval_requested', data }, request.id);
  }

  private record(
    tx: Tx,
    actor: Actor,
    request: RequestFacts,
    source: EntrySource,
    action: string,
    more: Record<string, unknown>,
  ): void {
    this.auditLog.record(tx, actor, requestEntry(request, source, action, more));
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { Clock, type MicroUsd, newId, toDollars, visibleJson, visibleText } from '@haldir/kernel';
import { AuditLog, type EntrySource } from '@haldir/audit-log';
import { EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { Outbox } from '@haldir/events';
import { Metrics } from '@haldir/runtime';
import { ApprovalRequest } from './approval-request.entity.js';
import { type ApprovalFilter, ApprovalRequestRepository, type RequestFacts } from './approval-request.repository.js';
import { ApprovalRuleService } from './approval-rule.service.js';
import { type ApprovalSubject, type RuleMatch } from './approval-subject.js';
import { ApprovalAlreadyDecided, ApprovalExpired, ApprovalNotFound } from './approvals.errors.js';

/** A request that an agent makes of its own accord. */
export interface NewApprovalRequest {
  sessionId: string;
  agentId: string;
  tool: string;
  action: string;
  amount: MicroUsd;
  reason: string;
  /** A text, or what becomes its JSON text. */
  details: string | Readonly<Record<string, unknown>> | null;
  ttlSeconds: number;
  /** The public prefix of the API key that asks. */
  requestedKey: string;
}

/** An approval that lets one exact call through, once; its row is locked until the transaction ends. */
export type ApprovedRequest = RequestFacts;

/** The request that a held call waits for. */
export interface HeldRequest {
  requestId: string;
  reason: string;
  expiresAt: Date;
}

export interface NewDecision {
  status: 'approved' | 'denied';
  by: string;
  note: string;
  /** The public prefix of the API key that decides. */
  key: string;
}

const DEFAULT_TTL_SECONDS = 3600;
const EXPIRY_BATCH = 200;

@Injectable()
export class ApprovalService {
  constructor(
    @Inject(ApprovalRequestRepository) private readonly requests: ApprovalRequestRepository,
    @Inject(ApprovalRuleService) private readonly rules: ApprovalRuleService,
    @Inject(AuditLog) private readonly auditLog: AuditLog,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** The rule that holds the subject back; null when nothing does. Look-ups that arrive together share one query. */
  matchRule(
    subject: Pick<ApprovalSubject, 'tenantId' | 'amount' | 'toolNames' | 'destructive'>,
  ): Promise<RuleMatch | null> {
    return this.rules.match(subject);
  }

  /**
   * An approved, unexpired, unused request for the same exact call by the same session, locked for the rest of the
   * transaction: of racing calls one gets it, the others wait and then find it used.
   */
  lockApproved(
    tx: Tx,
    subject: Pick<ApprovalSubject, 'tenantId' | 'sessionId' | 'digest'>,
  ): Promise<ApprovedRequest | null> {
    return this.requests.in(tx).lockApproved(subject, this.clock.now());
  }

  /** Uses the approval up. Commit before the call is made, so that a crash costs an approval and never doubles a call. */
  async consume(tx: Tx, approved: ApprovedRequest): Promise<void> {
    if (!(await this.requests.in(tx).consume(approved.tenantId, approved.id, this.clock.now()))) {
      throw new Error('an approval is consumed once, by whoever locked it');
    }
    this.record(tx, approved, 'haldir', 'approval_consumed', {});
  }

  /**
   * Asks a human about the subject: joins the pending request for the same exact call, or makes one and announces
   * `approval_requested`. Racing calls share one request.
   */
  async hold(tx: Tx, subject: ApprovalSubject, match: RuleMatch): Promise<HeldRequest> {
    tx.onCommit(() => this.metrics.countDecision('approval', 'held'));
    const requests = this.requests.in(tx);
    const now = this.clock.now();
    // A third round would mean that requests for the call expire as fast as they are made.
    for (let round = 0; round < 3; round++) {
      const waiting = await requests.findWaiting(subject);
      if (waiting && waiting.expiresAt > now) {
        return { requestId: waiting.id, reason: waiting.reason, expiresAt: waiting.expiresAt };
      }
      if (waiting) this.expireOne(tx, waiting);
      const request = this.newRequest(subject.tenantId, {
        sessionId: subject.sessionId,
        agentId: subject.agentId,
        tool: subject.tool,
        action: subject.action,
        amount: subject.amount ?? (0n as MicroUsd),
        reason: subject.reason === '' ? match.reason : subject.reason,
        details: subject.details,
        digest: subject.digest,
        requestedKey: subject.requestedKey,
        ttlSeconds: DEFAULT_TTL_SECONDS,
      });
      if (await requests.insert(request)) {
        this.announce(tx, request, { rule_id: match.ruleId, rule: match.type });
        return { requestId: request.id, reason: request.reason, expiresAt: request.expiresAt };
      }
    }
    throw new Error('no request for the call is pending, and none can be made');
  }

  /** A request of an agent's own; it lets no held call through. Announces `approval_requested`. */
  async request(tx: Tx, tenantId: string, wanted: NewApprovalRequest): Promise<ApprovalRequest> {
    const request = this.newRequest(tenantId, { ...wanted, digest: null });
    await this.requests.in(tx).insert(request);
    this.announce(tx, request, {});
    return request;
  }

  /** @throws ApprovalNotFound when the tenant has no such request */
  async get(tenantId: string, id: string): Promise<ApprovalRequest> {
    const request = await this.requests.find(tenantId, id);
    if (!request) throw new ApprovalNotFound();
    return request;
  }

  list(tenantId: string, filter: ApprovalFilter, limit: number, before: string | null): Promise<ApprovalRequest[]> {
    return this.requests.list(tenantId, filter, this.clock.now(), limit, before);
  }

  /**
   * Approves or denies; of racing decisions exactly one wins.
   *
   * @throws ApprovalNotFound, ApprovalAlreadyDecided, ApprovalExpired
   */
  async decide(tx: Tx, tenantId: string, id: string, decision: NewDecision): Promise<void> {
    const requests = this.requests.in(tx);
    const now = this.clock.now();
    const decided = await requests.decide(tenantId, id, { ...decision, at: now });
    if (!decided) {
      const request = await requests.find(tenantId, id);
      if (!request) throw new ApprovalNotFound();
      throw request.status === 'approved' || request.status === 'denied'
        ? new ApprovalAlreadyDecided(request.status)
        : new ApprovalExpired();
    }
    const { status, by, note, key } = decision;
    this.record(tx, decided, 'haldir', `approval_${status}`, { decided_by: by, note, key });
    tx.onCommit(() => this.metrics.countDecision('approval', status === 'approved' ? 'allowed' : 'denied'));
  }

  /** Notes the requests whose time is up; answers how many there were. Safe to run anywhere, any number of times. */
  async expireDue(): Promise<number> {
    let total = 0;
    for (;;) {
      const expired = await this.transactions.run(EVERY_TENANT, async (tx) => {
        const ended = await this.requests.in(tx).expire(this.clock.now(), EXPIRY_BATCH);
        for (const request of ended) this.record(tx, request, 'haldir', 'approval_expired', {});
        return ended.length;
      });
      total += expired;
      if (expired < EXPIRY_BATCH) return total;
    }
  }

  private expireOne(tx: Tx, request: RequestFacts): void {
    this.requests.in(tx).expireOne(request);
    this.record(tx, request, 'haldir', 'approval_expired', {});
  }

  private newRequest(tenantId: string, wanted: NewApprovalRequest & { digest: Buffer | null }): ApprovalRequest {
    const now = this.clock.now();
    const { ttlSeconds, tool, action, reason, details, ...facts } = wanted;
    return Object.assign(new ApprovalRequest(), {
      tenantId,
      id: newId('apr'),
      ...facts,
      // What a human reads must not hide anything; what runs is what the digest stands for.
      tool: visibleText(tool),
      action: visibleText(action),
      reason: visibleText(reason),
      details: shown(details),
      status: 'pending' as const,
      createdAt: now,
      expiresAt: new Date(now.getTime() + ttlSeconds * 1000),
      decidedAt: null,
      decidedBy: null,
      decisionNote: null,
      decidedKey: null,
      consumedAt: null,
    });
  }

  private announce(tx: Tx, request: ApprovalRequest, rule: Record<string, string>): void {
    const { id, tenantId, agentId, tool, action, amount, reason } = request;
    this.record(tx, request, 'session', 'approval_requested', rule);
    this.outbox.publish(tx, tenantId, {
      type: 'approval_requested',
      data: { request_id: id, agent_id: agentId, tool, action, amount: toDollars(amount), reason },
    });
  }

  private record(
    tx: Tx,
    request: RequestFacts,
    source: EntrySource,
    action: string,
    more: Record<string, unknown>,
  ): void {
    this.auditLog.record(tx, request.tenantId, {
      source,
      sessionId: request.sessionId,
      agentId: request.agentId,
      tool: 'haldir.approvals',
      action,
      details: {
        request_id: request.id,
        tool: request.tool,
        action: request.action,
        amount: toDollars(request.amount),
        ...(request.digest === null ? {} : { digest: request.digest.toString('hex') }),
        ...more,
      },
    });
  }
}

/** Hidden characters in texts of JSON are made visible before it is written, so that it stays JSON. */
function shown(details: NewApprovalRequest['details']): string | null {
  if (details === null) return null;
  return typeof details === 'string' ? visibleText(details) : JSON.stringify(visibleJson(details));
}

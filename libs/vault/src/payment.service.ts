import { Injectable } from '@nestjs/common';
import { Batcher, Clock, type MicroUsd, newId, toDollars } from '@haldir/kernel';
import { ApprovalOutcomes, ApprovalService, type ApprovedRequest } from '@haldir/approvals';
import { AuditLog } from '@haldir/audit-log';
import { isDataFailure, Transactions, type Tx } from '@haldir/database';
import {
  BudgetService,
  type Session,
  SessionInvalid,
  SessionService,
  type Spend,
  type SpendDecision,
} from '@haldir/gate';
import { Metrics } from '@haldir/runtime';
import { ExchangeRates } from './exchange-rates.js';
import { DENIALS, type NewPayment, type PaymentDecision, type PreparedPayment } from './payment-decision.js';
import { PAYMENT_TOOL, PAYMENT_TOOL_NAMES, subjectOf, toNumber } from './payment-subject.js';
import { Payment } from './payment.entity.js';
import { type PaymentListFilter, PaymentRepository } from './payment.repository.js';
import { PaymentNotFound } from './vault.errors.js';

/** An amount of unknown worth is over every threshold. */
const MOST = (2n ** 63n - 1n) as MicroUsd;

/** A payment on its way to the budget, with the place of its answer and the approval that lets it through. */
interface Candidate {
  index: number;
  prepared: PreparedPayment;
  approved: ApprovedRequest | null;
}

@Injectable()
export class PaymentService {
  /** One commit for all that arrive while the one before is under way, decided in the order of arrival. */
  private readonly writer: Batcher<PreparedPayment, PaymentDecision>;

  constructor(
    private readonly payments: PaymentRepository,
    private readonly sessions: SessionService,
    private readonly budgets: BudgetService,
    private readonly approvals: ApprovalService,
    private readonly approvalOutcomes: ApprovalOutcomes,
    private readonly rates: ExchangeRates,
    private readonly auditLog: AuditLog,
    private readonly transactions: Transactions,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {
    this.writer = new Batcher<PreparedPayment, PaymentDecision>({
      maxBatch: 256,
      maxInFlight: 1,
      maxQueued: 4096,
      splitOn: isDataFailure,
      run: (items) =>
        this.transactions.run(
          items.map(({ payment }) => payment.actor.tenantId),
          (tx) => this.authorizeMany(tx, items),
        ),
    });
  }

  /** Reads what a decision needs, before its transaction, so that no transaction waits for a second connection. */
  async prepare(payment: NewPayment): Promise<PreparedPayment> {
    const { actor, sessionId } = payment;
    const usd = this.rates.toUsd(payment.amount);
    const [session, match] = await Promise.all([
      this.sessions.findLive(actor, sessionId),
      this.approvals.matchRule({
        actor,
        toolNames: PAYMENT_TOOL_NAMES,
        amount: usd?.micros ?? MOST,
        destructive: false,
      }),
    ]);
    return { payment, usd, session, match };
  }

  /**
   * Decides one payment, together with others that arrive meanwhile.
   *
   * @throws SessionInvalid unless the session is live
   */
  async authorize(prepared: PreparedPayment): Promise<PaymentDecision> {
    if (!prepared.session) throw new SessionInvalid();
    // One that waits for a human takes other locks, so it does not share its transaction.
    return prepared.match === null
      ? this.writer.submit(prepared)
      : this.transactions.run(prepared.payment.actor.tenantId, (tx) => this.authorizeIn(tx, prepared));
  }

  /**
   * The same, as part of a transaction.
   *
   * @throws SessionInvalid unless the session is live
   */
  async authorizeIn(tx: Tx, prepared: PreparedPayment): Promise<PaymentDecision> {
    const [decision] = await this.authorizeMany(tx, [prepared]);
    if (!decision) throw new Error('every payment has a decision');
    if (decision instanceof Error) throw decision;
    return decision;
  }

  list(tenantId: string, filter: PaymentListFilter, limit: number, before: string | null): Promise<Payment[]> {
    return this.payments.list(tenantId, filter, this.clock.now(), limit, before);
  }

  /** @throws PaymentNotFound when the tenant has no such payment */
  async get(tenantId: string, id: string): Promise<Payment> {
    const payment = await this.payments.find(tenantId, id);
    if (!payment) throw new PaymentNotFound();
    return payment;
  }

  /**
   * Decides payments in their order and takes their amounts from the sessions' budgets, atomically: of concurrent
   * payments that together exceed a budget, only those that fit are authorized. Every decision is in the audit log,
   * every authorization also in the payments and their sums. Announces `budget_exhausted` and `approval_requested`.
   * In the place of a payment whose session is not live stands a `SessionInvalid`.
   */
  private async authorizeMany(
    tx: Tx,
    items: readonly PreparedPayment[],
  ): Promise<(PaymentDecision | SessionInvalid)[]> {
    const decisions = new Array<PaymentDecision | SessionInvalid>(items.length);
    const candidates: Candidate[] = [];
    for (const [index, prepared] of items.entries()) {
      const early = await this.decideEarly(tx, prepared);
      if ('approved' in early) candidates.push({ index, prepared, approved: early.approved });
      else decisions[index] = early.decision;
    }
    const taken = candidates.length === 0 ? [] : await this.budgets.take(tx, candidates.map(toSpend));
    const authorized: Payment[] = [];
    for (const [i, candidate] of candidates.entries()) {
      const decision = this.settle(tx, candidate, taken[i]);
      decisions[candidate.index] = decision;
      if (decision instanceof Error || decision.outcome !== 'authorized') continue;
      authorized.push(decision.payment);
      if (candidate.approved) {
        const { actor } = candidate.prepared.payment;
        await this.approvals.consume(tx, actor, candidate.approved);
        await this.approvalOutcomes.end(tx, actor.tenantId, candidate.approved.id, 'performed');
      }
    }
    this.payments.in(tx).insert(authorized);
    tx.onCommit(() => {
      for (const decision of decisions) this.count(decision);
    });
    return decisions;
  }

  /** What is decided without the budget, or the approval under which the budget is asked (null: none is needed). */
  private async decideEarly(
    tx: Tx,
    { payment, usd, session, match }: PreparedPayment,
  ): Promise<{ decision: PaymentDecision | SessionInvalid } | { approved: ApprovedRequest | null }> {
    if (!session) return { decision: new SessionInvalid() };
    const remaining = session.remainingBudget();
    if (remaining !== null && usd === null) {
      const reason = `No exchange rate is configured for ${payment.amount.currency}, and the budget is in USD`;
      return { decision: this.deny(tx, payment, session, reason, remaining) };
    }
    // Nobody is asked about a payment that the budget refuses as it stands.
    const affordable = session.maySpend() && (remaining === null || usd === null || usd.micros <= remaining);
    if (match === null || !affordable) return { approved: null };
    const subject = subjectOf(payment, usd, session);
    const answer = await this.approvals.ask(tx, subject, match);
    if (answer.kind === 'approved') return { approved: answer.request };
    if (answer.kind === 'denied') throw new Error('denials of payments are not heeded');
    const { requestId, expiresAt, notified } = answer.request;
    const held = { requestId, expiresAt, notified };
    return { decision: { outcome: 'held', ...held, message: match.reason, remaining } };
  }

  /** What the budget's answer means for the payment. */
  private settle(
    tx: Tx,
    { prepared, approved }: Candidate,
    taken: SpendDecision | undefined,
  ): PaymentDecision | SessionInvalid {
    const { payment, usd, match } = prepared;
    if (!taken) throw new Error('every spend has a decision');
    if (!taken.taken) {
      if (taken.reason === 'invalid_session') return new SessionInvalid();
      return this.deny(tx, payment, taken.session, DENIALS[taken.reason], taken.remaining);
    }
    if (match !== null && !approved) throw new Error('a payment that waits for approval was taken from a budget');
    const now = this.clock.now();
    const authorized = Object.assign(new Payment(), {
      tenantId: payment.actor.tenantId,
      id: newId('pay'),
      sessionId: payment.sessionId,
      agentId: taken.session.agentId,
      amountMinor: payment.amount.minor,
      currency: payment.amount.currency,
      usdValue: usd?.micros ?? null,
      fxRate: usd?.rate ?? null,
      description: payment.description,
      drawnOn: taken.drawnOn,
      ofCall: false,
      createdAt: now,
      state: payment.holdSeconds === null ? ('authorized' as const) : ('held' as const),
      expiresAt: payment.holdSeconds === null ? null : new Date(now.getTime() + payment.holdSeconds * 1000),
      capturedMinor: null,
      capturedValue: null,
      settledAt: null,
    });
    this.record(tx, payment, taken.session, payment.holdSeconds === null ? 'payment_authorized' : 'payment_held', {
      authorization_id: authorized.id,
      ...(usd === null || usd.rate === null ? {} : { usd: toDollars(usd.micros), fx_rate: usd.rate }),
      remaining_budget: taken.remaining === null ? null : toDollars(taken.remaining),
    });
    return { outcome: 'authorized', payment: authorized, remaining: taken.remaining };
  }

  private deny(
    tx: Tx,
    payment: NewPayment,
    session: Session,
    reason: string,
    remaining: MicroUsd | null,
  ): PaymentDecision {
    this.record(tx, payment, session, 'payment_denied', {
      reason,
      remaining_budget: remaining === null ? null : toDollars(remaining),
    });
    return { outcome: 'denied', reason, remaining };
  }

  private record(
    tx: Tx,
    { actor, amount, description }: NewPayment,
    session: Session,
    action: 'payment_authorized' | 'payment_held' | 'payment_denied',
    facts: Readonly<Record<string, unknown>>,
  ): void {
    this.auditLog.record(tx, actor, {
      source: 'session',
      sessionId: session.id,
      agentId: session.agentId,
      tool: PAYMENT_TOOL,
      action,
      details: { amount: toNumber(amount), currency: amount.currency, description, ...facts },
    });
  }

  private count(decision: PaymentDecision | SessionInvalid): void {
    if (decision instanceof Error) this.metrics.countDecision('payment', 'denied');
    else this.metrics.countDecision('payment', decision.outcome === 'authorized' ? 'allowed' : decision.outcome);
  }
}

function toSpend({ prepared: { payment, usd } }: Candidate): Spend {
  const { actor, sessionId, holdSeconds } = payment;
  return {
    actor,
    tenantId: actor.tenantId,
    sessionId,
    amount: usd?.micros ?? null,
    kind: holdSeconds === null ? 'spend' : 'hold',
  };
}

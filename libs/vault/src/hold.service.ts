import { Injectable } from '@nestjs/common';
import {
  type Actor,
  Clock,
  currencyExponent,
  fromMinorUnits,
  haldirActor,
  InvalidInput,
  type MicroUsd,
  toDollars,
  toMinorUnits,
} from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { AgentFrozen, BudgetService, type Session, type SessionLock } from '@haldir/gate';
import { Payment } from './payment.entity.js';
import { type HoldEnd, PaymentRepository, type SettledHold } from './payment.repository.js';
import { HoldNotOpen, PaymentNotFound, SessionRevoked } from './vault.errors.js';

/** A hold as it was settled, and what its session may spend since. */
export interface Settled {
  hold: SettledHold;
  remaining: MicroUsd | null;
}

const EXPIRY_BATCH = 200;

/**
 * What becomes of holds. Each is settled once: of racing captures, voids and the expiry one wins. Locks are taken in the order
 * of `BudgetService`: the session first.
 */
@Injectable()
export class HoldService {
  constructor(
    private readonly payments: PaymentRepository,
    private readonly budgets: BudgetService,
    private readonly auditLog: AuditLog,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * Spends a hold, in full or in part; the rest is free again.
   *
   * @param amount in the payment's currency; null for all of it
   * @throws PaymentNotFound, HoldNotOpen, SessionRevoked, AgentFrozen
   * @throws InvalidInput for an amount that is more than the hold, or finer than its currency
   */
  async capture(tx: Tx, actor: Actor, id: string, amount: number | null): Promise<Settled> {
    const { tenantId } = actor;
    const payment = await this.findOwn(tx, actor, id);
    const minor = amount === null ? payment.amountMinor : minorUnits(amount, payment);
    // The share of what was taken from the budget, rounded up, as the amount itself was.
    const micros = ((payment.usdValue ?? 0n) * minor + payment.amountMinor - 1n) / payment.amountMinor;
    const captured = { minor, micros: micros as MicroUsd };
    return this.settleOne(tx, actor, payment, { tenantId, id, state: 'captured', captured });
  }

  /** Sets a hold free. @throws PaymentNotFound, HoldNotOpen */
  async void(tx: Tx, actor: Actor, id: string): Promise<Settled> {
    const { tenantId } = actor;
    const payment = await this.findOwn(tx, actor, id);
    return this.settleOne(tx, actor, payment, { tenantId, id, state: 'voided', captured: null });
  }

  /** Sets free what is held by holds whose time is up; answers how many there were. Safe to run anywhere, any number of times. */
  async expireDue(): Promise<number> {
    let total = 0;
    for (;;) {
      const due = await this.payments.dueHolds(this.clock.now(), EXPIRY_BATCH);
      if (due.length === 0) return total;
      const tenants = due.map(({ tenantId }) => tenantId);
      await this.transactions.run(tenants, async (tx) => {
        const lock = await this.budgets.lock(tx, due);
        const ends = due.map(({ tenantId, id }): HoldEnd => ({ tenantId, id, state: 'expired', captured: null }));
        const settled = await this.payments.in(tx).settle(ends, this.clock.now());
        this.settleIn(tx, null, lock, settled);
      });
      total += due.length;
    }
  }

  private async settleOne(tx: Tx, actor: Actor, payment: Payment, end: HoldEnd): Promise<Settled> {
    const lock = await this.budgets.lock(tx, [payment]);
    const session = lock.session(payment.tenantId, payment.sessionId);
    if (end.state === 'captured' && session?.revokedAt) throw new SessionRevoked();
    if (end.state === 'captured' && session?.isFrozen) throw new AgentFrozen();
    const [hold] = await this.payments.in(tx).settle([end], this.clock.now());
    if (!hold) {
      const now = await this.find(tx, end.tenantId, end.id);
      throw new HoldNotOpen(now.stateAt(this.clock.now()));
    }
    this.settleIn(tx, actor, lock, [hold]);
    return { hold, remaining: (session as Session).remainingBudget() };
  }

  /** @param actor null for holds whose time is up */
  private settleIn(tx: Tx, actor: Actor | null, lock: SessionLock, settled: readonly SettledHold[]): void {
    if (settled.length === 0) return;
    this.budgets.settle(
      tx,
      lock,
      settled.map((hold) => ({
        tenantId: hold.tenantId,
        sessionId: hold.sessionId,
        agentId: hold.agentId,
        heldAt: hold.createdAt,
        drawnOn: hold.drawnOn,
        held: hold.usdValue ?? (0n as MicroUsd),
        spent: hold.capturedValue ?? (0n as MicroUsd),
      })),
    );
    for (const hold of settled) {
      this.auditLog.record(tx, actor ?? haldirActor(hold.tenantId), {
        source: 'haldir',
        sessionId: hold.sessionId,
        agentId: hold.agentId,
        tool: 'haldir.vault',
        action: `payment_${hold.state}`,
        details: {
          authorization_id: hold.id,
          amount: amountIn(hold.capturedMinor ?? hold.amountMinor, hold.currency),
          currency: hold.currency,
          ...(hold.capturedValue === null ? {} : { usd: toDollars(hold.capturedValue) }),
          ...(actor === null ? {} : { by: actor.id }),
        },
      });
    }
  }

  /** An agent settles what it has set aside itself: neither another agent's holds, nor the prices of calls. */
  private async findOwn(tx: Tx, { tenantId, agent }: Actor, id: string): Promise<Payment> {
    const payment = await this.find(tx, tenantId, id);
    if (agent && (payment.agentId !== agent.agentId || payment.ofCall)) throw new PaymentNotFound();
    return payment;
  }

  private async find(tx: Tx, tenantId: string, id: string): Promise<Payment> {
    const payment = await this.payments.in(tx).find(tenantId, id);
    if (!payment) throw new PaymentNotFound();
    return payment;
  }
}

function minorUnits(amount: number, { amountMinor, currency }: Payment): bigint {
  const decimals = currencyExponent(currency) ?? 0;
  const minor = toMinorUnits(amount, decimals);
  if (minor === null)
    throw new InvalidInput(`amount: expected at most ${decimals} decimals in the currency of the payment`);
  if (minor < 1n || minor > amountMinor)
    throw new InvalidInput('amount: expected a number over 0 and at most what is held');
  return minor;
}

function amountIn(minor: bigint, currency: string): number {
  return fromMinorUnits(minor, currencyExponent(currency) ?? 0);
}

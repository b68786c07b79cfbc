import { Injectable } from '@nestjs/common';
import { type Actor, Clock, haldirActor, type MicroUsd, newId } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { BudgetService } from '@haldir/gate';
import { HoldService } from './hold.service.js';
import { Payment } from './payment.entity.js';
import { PaymentRepository } from './payment.repository.js';
import { DENIALS } from './payment-decision.js';
import { HoldNotOpen, SessionRevoked } from './vault.errors.js';

/** The price of a call that is about to be made. */
export interface NewCharge {
  actor: Actor;
  sessionId: string;
  /** Whole cents. */
  price: MicroUsd;
  /** `upstream.tool` */
  tool: string;
  /** After so long it is free again, whatever became of the call. */
  holdMs: number;
}

/** A price that is held in the budgets of a session until it is known what became of the call. */
export interface CallCharge {
  tenantId: string;
  paymentId: string;
  price: MicroUsd;
}

/** A price that no budget has room for. */
export interface ChargeDenial {
  reason: string;
  price: MicroUsd;
  remaining: MicroUsd | null;
}

const MICROS_PER_CENT = 10_000n;

/** Charges calls of priced tools: held before the call leaves, then captured or set free, as other payments are. */
@Injectable()
export class CallCharges {
  constructor(
    private readonly budgets: BudgetService,
    private readonly payments: PaymentRepository,
    private readonly holds: HoldService,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes the price from every budget that applies, atomically; or says which has no room for it. Null unless the session is
   * live.
   */
  async hold(tx: Tx, { actor, sessionId, price, tool, holdMs }: NewCharge): Promise<CallCharge | ChargeDenial | null> {
    const { tenantId } = actor;
    const [taken] = await this.budgets.take(tx, [{ actor, tenantId, sessionId, amount: price, kind: 'hold' }]);
    if (!taken || (!taken.taken && taken.reason === 'invalid_session')) return null;
    if (!taken.taken) return { reason: DENIALS[taken.reason], price, remaining: taken.remaining };
    const now = this.clock.now();
    const payment = Object.assign(new Payment(), {
      tenantId,
      id: newId('pay'),
      sessionId,
      agentId: taken.session.agentId,
      amountMinor: price / MICROS_PER_CENT,
      currency: 'USD',
      usdValue: price,
      fxRate: null,
      description: `Call of ${tool}`,
      drawnOn: taken.drawnOn,
      ofCall: true,
      createdAt: now,
      state: 'held' as const,
      expiresAt: new Date(now.getTime() + holdMs),
      capturedMinor: null,
      capturedValue: null,
      settledAt: null,
    });
    this.payments.in(tx).insert([payment]);
    return { tenantId, paymentId: payment.id, price };
  }

  /**
   * Spends what is held, or sets it free. What is held in a session that was revoked meanwhile is set free, and what has
   * expired is free already.
   */
  async settle(tx: Tx, { tenantId, paymentId }: CallCharge, isSpent: boolean): Promise<void> {
    const by = haldirActor(tenantId, 'haldir.proxy');
    try {
      if (isSpent) await this.holds.capture(tx, by, paymentId, null);
      else await this.holds.void(tx, by, paymentId);
    } catch (error) {
      if (error instanceof SessionRevoked) await this.settle(tx, { tenantId, paymentId, price: 0n as MicroUsd }, false);
      else if (!(error instanceof HoldNotOpen)) throw error;
    }
  }
}

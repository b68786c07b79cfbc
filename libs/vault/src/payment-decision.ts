import { type Actor, type MicroUsd } from '@haldir/kernel';
import { type HeldRequest, type RuleMatch } from '@haldir/approvals';
import { type Session, type SpendRefusal } from '@haldir/gate';
import { type Amount, type UsdValue } from './exchange-rates.js';
import { type Payment } from './payment.entity.js';

/** A payment as it was asked for. */
export interface NewPayment {
  actor: Actor;
  sessionId: string;
  amount: Amount;
  description: string;
  /** Set aside for that long, to be captured or voided; null to pay at once. */
  holdSeconds: number | null;
}

/** A payment with what was read for it; the decision itself trusts only the session's locked row. */
export interface PreparedPayment {
  payment: NewPayment;
  /** Null when the currency has no rate. */
  usd: UsdValue | null;
  /** Null unless the session was live. */
  session: Session | null;
  /** The approval rule that holds the payment back; null when none does. */
  match: RuleMatch | null;
}

/** A denial is an answer, not an error: the agent asked, and the answer is no, or not yet. */
export type PaymentDecision =
  | { outcome: 'authorized'; payment: Payment; remaining: MicroUsd | null }
  | { outcome: 'denied'; reason: string; remaining: MicroUsd | null }
  | ({ outcome: 'held'; message: string; remaining: MicroUsd | null } & Pick<
      HeldRequest,
      'requestId' | 'expiresAt' | 'notified'
    >);

export const DENIALS: Readonly<Record<SpendRefusal, string>> = {
  no_grant: 'Session has no grant to spend',
  no_rate: 'No exchange rate is configured for the currency, and the budget is in USD',
  over_budget: 'Spend budget exceeded',
  over_key_budget: "The standing budget of the agent's key is exceeded",
  over_agent_budget: "The agent's budget of the day is exceeded",
  over_tenant_budget: "The tenant's budget of the month is exceeded",
};

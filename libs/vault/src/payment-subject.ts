import { hash } from 'node:crypto';
import { canonicalJson, fromMinorUnits, stringifyJson, visibleJson } from '@haldir/kernel';
import { type ApprovalSubject, holderOf } from '@haldir/approvals';
import { type Session } from '@haldir/gate';
import { type Amount, type UsdValue } from './exchange-rates.js';
import { type NewPayment } from './payment-decision.js';

export const PAYMENT_TOOL = 'haldir.vault';
const ACTION = 'payment';
/** What rules may call a payment. */
export const PAYMENT_TOOL_NAMES = [PAYMENT_TOOL, ACTION, `${PAYMENT_TOOL}.${ACTION}`];

/** The payment as what a human is asked about: the digest is of the exact amount, currency and text. */
export function subjectOf(payment: NewPayment, usd: UsdValue | null, session: Session): ApprovalSubject {
  const { actor, sessionId, amount, description, holdSeconds } = payment;
  const action = holdSeconds === null ? ACTION : 'hold';
  const exact = { amount_minor: amount.minor.toString(), currency: amount.currency, description };
  return {
    actor,
    sessionId,
    agentId: session.agentId,
    tool: PAYMENT_TOOL,
    toolNames: PAYMENT_TOOL_NAMES,
    action,
    // Of a currency without a rate nobody knows what it is worth.
    amount: usd?.micros ?? 'unclear',
    destructive: false,
    reason: `${holdSeconds === null ? 'Payment' : 'Hold'} of ${toNumber(amount)} ${amount.currency}${description === '' ? '' : `: ${description}`}`,
    details: stringifyJson(visibleJson({ amount: toNumber(amount), currency: amount.currency, description })),
    digest: hash(
      'sha256',
      canonicalJson({
        tenant: actor.tenantId,
        session: holderOf(actor, session),
        tool: PAYMENT_TOOL,
        action,
        ...exact,
      }),
      'buffer',
    ),
    grantable: null,
  };
}

/** In units of the currency, as people write it. */
export function toNumber({ minor, exponent }: Amount): number {
  return fromMinorUnits(minor, exponent);
}

import {
  type Actor,
  currencyExponent,
  fromMinorUnits,
  MAX_EXPONENT,
  toDollars,
  toMinorUnits,
  toUnixSeconds,
} from '@haldir/kernel';
import { NOTIFIED } from '@haldir/approvals';
import { Answer, decimal, nextCursor, pageQuery, queryTime } from '@haldir/http';
import { z } from 'zod';
import { type Settled } from '../hold.service.js';
import { type Payment, PAYMENT_STATES } from '../payment.entity.js';
import { type NewPayment, type PaymentDecision } from '../payment-decision.js';

export const MAX_AMOUNT = 1_000_000;

const DESCRIPTION_EXPECTED = 'expected a text of at most 1000 characters';
/** No currency has more decimals; how many it has is looked at with the currency. */
const anyAmount = decimal({ decimals: MAX_EXPONENT, min: 0, exclusiveMin: true, max: MAX_AMOUNT });

const wholeMinorUnits = (
  { amount, currency }: { amount: number; currency: string },
  context: z.RefinementCtx,
): void => {
  const decimals = currencyExponent(currency);
  if (decimals !== null && toMinorUnits(amount, decimals) === null) {
    context.addIssue({
      code: 'custom',
      path: ['amount'],
      message: `expected at most ${decimals} decimals in the given currency`,
    });
  }
};

const paymentFields = {
  session_id: z.string('expected a session id'),
  amount: anyAmount.describe(
    'Amount to authorize: whole minor units of the currency; a number within a billionth of them means them',
  ),
  currency: z
    .string('expected an ISO 4217 currency code such as USD')
    .toUpperCase()
    .refine((code) => currencyExponent(code) !== null, 'expected an ISO 4217 currency code such as USD')
    .default('USD')
    .describe('ISO 4217 currency code, in capitals or not'),
  description: z
    .string(DESCRIPTION_EXPECTED)
    .max(1000, DESCRIPTION_EXPECTED)
    .default('')
    .describe('What the payment is for'),
};

export const AuthorizePayment = z.object(paymentFields).superRefine(wholeMinorUnits);
export type AuthorizePayment = z.infer<typeof AuthorizePayment>;

const MAX_HOLD_SECONDS = 604_800;
const holdExpected = `expected a whole number of seconds from 1 to ${MAX_HOLD_SECONDS}`;

export const HoldPayment = z
  .object({
    ...paymentFields,
    ttl: z
      .int(holdExpected)
      .min(1, holdExpected)
      .max(MAX_HOLD_SECONDS, holdExpected)
      .default(3600)
      .describe('Time until the hold expires (seconds)'),
  })
  .superRefine(wholeMinorUnits);
export type HoldPayment = z.infer<typeof HoldPayment>;

export function toNewPayment(actor: Actor, body: AuthorizePayment | HoldPayment): NewPayment {
  const { currency } = body;
  const exponent = exponentOf(currency);
  const minor = toMinorUnits(body.amount, exponent);
  if (minor === null) throw new Error('the schema lets through whole minor units only');
  return {
    actor,
    sessionId: body.session_id,
    amount: { minor, currency, exponent },
    description: body.description,
    holdSeconds: 'ttl' in body ? body.ttl : null,
  };
}

export const PaymentResult = z
  .object({
    authorized: z.boolean(),
    authorization_id: z.string().optional().describe('Id of an authorized payment'),
    session_id: z.string().optional(),
    agent_id: z.string().optional(),
    amount: z.number().optional(),
    currency: z.string().optional(),
    description: z.string().optional(),
    remaining_budget: z
      .number()
      .nullable()
      .optional()
      .describe('What is left of the budget in USD; null without a limit'),
    timestamp: z.number().optional().describe('Unix timestamp'),
    reason: z.string().optional().describe('Why the payment was denied'),
    request_id: z.string().optional().describe('The approval request that the payment waits for'),
    message: z.string().optional().describe('Why the payment needs approval'),
    notified: z
      .enum(NOTIFIED)
      .optional()
      .describe('Whether anybody was told of that request, as far as it is known; checkApproval goes on saying it'),
    status: z.enum(PAYMENT_STATES).optional().describe('held for a hold, which has yet to be captured'),
    expires_at: z.number().optional().describe('When the hold, or the approval request, expires (Unix timestamp)'),
  })
  .meta({ id: 'PaymentResult' });
export type PaymentResult = z.infer<typeof PaymentResult>;

export function toPaymentResult(
  { amount: { minor, currency, exponent } }: NewPayment,
  decision: PaymentDecision,
): PaymentResult | Answer<PaymentResult> {
  const { remaining } = decision;
  const sum = { amount: fromMinorUnits(minor, exponent), currency };
  const remainingBudget = remaining === null ? null : toDollars(remaining);
  switch (decision.outcome) {
    case 'authorized': {
      const { payment } = decision;
      return {
        authorized: true,
        authorization_id: payment.id,
        session_id: payment.sessionId,
        agent_id: payment.agentId,
        ...sum,
        description: payment.description,
        remaining_budget: remainingBudget,
        timestamp: toUnixSeconds(payment.createdAt),
        status: payment.state,
        ...(payment.expiresAt === null ? {} : { expires_at: toUnixSeconds(payment.expiresAt) }),
      };
    }
    case 'denied':
      return new Answer(403, { authorized: false, ...sum, remaining_budget: remainingBudget, reason: decision.reason });
    case 'held':
      return new Answer(403, {
        authorized: false,
        ...sum,
        remaining_budget: remainingBudget,
        reason: 'approval required',
        request_id: decision.requestId,
        message: decision.message,
        notified: decision.notified,
        expires_at: toUnixSeconds(decision.expiresAt),
      });
  }
}

export const ListPayments = z.object({
  session_id: z.string('expected one session id').optional().describe('Filter by session'),
  agent_id: z.string('expected one agent id').optional().describe('Filter by agent'),
  status: z
    .enum(PAYMENT_STATES, `expected one of ${PAYMENT_STATES.join(', ')}`)
    .optional()
    .describe('Filter by status'),
  since: queryTime.optional().describe('Payments from then on: Unix seconds or ISO 8601'),
  until: queryTime.optional().describe('Payments up to then: Unix seconds or ISO 8601'),
  ...pageQuery,
});
export type ListPayments = z.infer<typeof ListPayments>;

export const PaymentDetail = z
  .object({
    authorization_id: z.string(),
    session_id: z.string(),
    agent_id: z.string(),
    amount: z.number(),
    currency: z.string(),
    usd_value: z
      .number()
      .nullable()
      .describe('What it took from the budget in USD; null for a currency without a rate'),
    fx_rate: z.string().nullable().describe('USD for one unit of the currency, exact; null when nothing was converted'),
    description: z.string(),
    timestamp: z.number().describe('Unix timestamp'),
    status: z.enum(PAYMENT_STATES),
    expires_at: z.number().nullable().describe('Of a hold (Unix timestamp)'),
    captured_amount: z.number().nullable().describe('Of a hold that was captured'),
    settled_at: z.number().nullable().describe('When a hold was captured, voided or expired (Unix timestamp)'),
  })
  .meta({ id: 'PaymentDetail' });
export type PaymentDetail = z.infer<typeof PaymentDetail>;

export function toPaymentDetail(payment: Payment, now: Date): PaymentDetail {
  const { capturedMinor, currency, expiresAt, settledAt } = payment;
  return {
    authorization_id: payment.id,
    session_id: payment.sessionId,
    agent_id: payment.agentId,
    amount: fromMinorUnits(payment.amountMinor, exponentOf(payment.currency)),
    currency: payment.currency,
    usd_value: payment.usdValue === null ? null : toDollars(payment.usdValue),
    fx_rate: payment.fxRate,
    description: payment.description,
    timestamp: toUnixSeconds(payment.createdAt),
    status: payment.stateAt(now),
    expires_at: expiresAt && toUnixSeconds(expiresAt),
    captured_amount: capturedMinor === null ? null : fromMinorUnits(capturedMinor, exponentOf(currency)),
    settled_at: settledAt && toUnixSeconds(settledAt),
  };
}

export const PaymentList = z.object({ payments: z.array(PaymentDetail), count: z.int(), next_cursor: nextCursor });
export type PaymentList = z.infer<typeof PaymentList>;

export const CapturePayment = z.object({
  amount: anyAmount
    .nullish()
    .describe('In the currency of the payment; absent for all of it. What is not captured is free again'),
});
export type CapturePayment = z.infer<typeof CapturePayment>;

/** An absent body is an empty one. */
export const CapturePaymentBody = z.preprocess((body) => body ?? {}, CapturePayment);

export const PaymentSettled = z.object({
  authorization_id: z.string(),
  status: z.enum(PAYMENT_STATES),
  session_id: z.string(),
  captured_amount: z.number().nullable(),
  released_amount: z.number().describe('What is free again'),
  currency: z.string(),
  remaining_budget: z.number().nullable(),
});
export type PaymentSettled = z.infer<typeof PaymentSettled>;

export function toPaymentSettled({ hold, remaining }: Settled): PaymentSettled {
  const { amountMinor, capturedMinor, currency } = hold;
  const exponent = exponentOf(currency);
  return {
    authorization_id: hold.id,
    status: hold.state,
    session_id: hold.sessionId,
    captured_amount: capturedMinor === null ? null : fromMinorUnits(capturedMinor, exponent),
    released_amount: fromMinorUnits(amountMinor - (capturedMinor ?? 0n), exponent),
    currency,
    remaining_budget: remaining === null ? null : toDollars(remaining),
  };
}

function exponentOf(currency: string): number {
  const exponent = currencyExponent(currency);
  if (exponent === null) throw new Error('only known currencies are let through');
  return exponent;
}

import { currencyExponent, fromMinorUnits, toDollars, toMinorUnits, toUnixSeconds } from '@haldir/kernel';
import { Answer, nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type NewPayment, type Payment, type PaymentDecision } from '../index.js';

export const MAX_AMOUNT = 1_000_000;

const DESCRIPTION_EXPECTED = 'expected a text of at most 1000 characters';
const AMOUNT_EXPECTED = `expected a number over 0 to ${MAX_AMOUNT}`;

export const AuthorizePayment = z
  .object({
    session_id: z.string('expected a session id'),
    amount: z
      .number(AMOUNT_EXPECTED)
      .refine((amount) => amount > 0 && amount <= MAX_AMOUNT, AMOUNT_EXPECTED)
      .describe('Amount to authorize'),
    currency: z
      .string('expected an ISO 4217 currency code such as USD')
      .refine((code) => currencyExponent(code) !== null, 'expected an ISO 4217 currency code such as USD')
      .default('USD')
      .describe('ISO 4217 currency code'),
    description: z
      .string(DESCRIPTION_EXPECTED)
      .max(1000, DESCRIPTION_EXPECTED)
      .default('')
      .describe('What the payment is for'),
  })
  .superRefine(({ amount, currency }, context) => {
    const decimals = currencyExponent(currency);
    if (decimals !== null && toMinorUnits(amount, decimals) === null) {
      context.addIssue({
        code: 'custom',
        path: ['amount'],
        message: `expected at most ${decimals} decimals in the given currency`,
      });
    }
  });
export type AuthorizePayment = z.infer<typeof AuthorizePayment>;

/** @param requestedKey the public prefix of the API key that asks */
export function toNewPayment(tenantId: string, requestedKey: string, body: AuthorizePayment): NewPayment {
  const { currency } = body;
  const exponent = exponentOf(currency);
  const minor = toMinorUnits(body.amount, exponent);
  if (minor === null) throw new Error('the schema lets through whole minor units only');
  return {
    tenantId,
    sessionId: body.session_id,
    amount: { minor, currency, exponent },
    description: body.description,
    requestedKey,
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
    expires_at: z.number().optional().describe('When the approval request expires (Unix timestamp)'),
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
        expires_at: toUnixSeconds(decision.expiresAt),
      });
  }
}

export const ListPayments = z.object({
  session_id: z.string('expected one session id').optional().describe('Filter by session'),
  agent_id: z.string('expected one agent id').optional().describe('Filter by agent'),
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
  })
  .meta({ id: 'PaymentDetail' });
export type PaymentDetail = z.infer<typeof PaymentDetail>;

export function toPaymentDetail(payment: Payment): PaymentDetail {
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
  };
}

export const PaymentList = z.object({ payments: z.array(PaymentDetail), count: z.int(), next_cursor: nextCursor });
export type PaymentList = z.infer<typeof PaymentList>;

function exponentOf(currency: string): number {
  const exponent = currencyExponent(currency);
  if (exponent === null) throw new Error('only known currencies are let through');
  return exponent;
}

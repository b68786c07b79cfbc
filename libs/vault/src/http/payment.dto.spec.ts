import fc from 'fast-check';
import { keyActor, type MicroUsd, microUsd } from '@haldir/kernel';
import { Answer } from '@haldir/http';
import { type Payment } from '../payment.entity.js';
import { type NewPayment, type PaymentDecision } from '../payment-decision.js';
import { AuthorizePayment, toNewPayment, toPaymentResult } from './payment.dto.js';

const asked = (amount: unknown, currency?: unknown): unknown => ({ session_id: 'ses_1', amount, currency });
const accepts = (amount: unknown, currency?: unknown): boolean =>
  AuthorizePayment.safeParse(asked(amount, currency)).success;

describe('the amount of a payment', () => {
  it.each([
    ['JPY', 0],
    ['USD', 2],
    ['KWD', 3],
    ['CLF', 4],
  ])('in %s has at most %i decimals and arrives exactly', (currency, decimals) => {
    const scale = 10 ** decimals;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 * scale }), (minor) => {
        const amount = Number(`${minor}e-${decimals}`);
        const body = AuthorizePayment.parse(asked(amount, currency));
        expect(toNewPayment(keyActor('tnt_1', 'hld_key'), body).amount).toEqual({
          minor: BigInt(minor),
          currency,
          exponent: decimals,
        });
        expect(accepts(Number(`${minor * 10 + 1}e-${decimals + 1}`), currency)).toBe(false);
      }),
    );
  });

  it('is over nothing and at most a million', () => {
    for (const amount of [0, -0, -1, 1_000_000.01, NaN, Infinity, -Infinity, 5e-324, '1', null, undefined, 1n]) {
      expect([amount, accepts(amount)]).toEqual([amount, false]);
    }
    expect([accepts(1_000_000), accepts(0.01), accepts(1, 'XYZ'), accepts(1, 'usd')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });
});

describe('the answer to a payment', () => {
  const payment: NewPayment = {
    actor: keyActor('tnt_1', 'hld_key'),
    sessionId: 'ses_1',
    amount: { minor: 1050n, currency: 'USD', exponent: 2 },
    description: 'lunch',
    holdSeconds: null,
  };
  const remaining = microUsd(2.5);
  const answer = (decision: PaymentDecision): unknown => toPaymentResult(payment, decision);

  it('is the authorization', () => {
    const createdAt = new Date(1_767_225_600_250);
    const authorized = {
      id: 'pay_1',
      sessionId: 'ses_1',
      agentId: 'a',
      description: 'lunch',
      createdAt,
      state: 'captured',
      expiresAt: null,
    } as Payment;
    expect(answer({ outcome: 'authorized', payment: authorized, remaining })).toEqual({
      authorized: true,
      authorization_id: 'pay_1',
      session_id: 'ses_1',
      agent_id: 'a',
      amount: 10.5,
      currency: 'USD',
      description: 'lunch',
      remaining_budget: 2.5,
      timestamp: 1_767_225_600.25,
      status: 'captured',
    });
  });

  it('is 403 with what remains, and why', () => {
    const body = { authorized: false, amount: 10.5, currency: 'USD' };
    expect(answer({ outcome: 'denied', reason: 'too dear', remaining: 0n as MicroUsd })).toEqual(
      new Answer(403, { ...body, remaining_budget: 0, reason: 'too dear' }),
    );
    const expiresAt = new Date(1_767_225_600_000);
    expect(
      answer({ outcome: 'held', requestId: 'apr_1', message: 'ask', expiresAt, remaining: null, notified: 'pending' }),
    ).toEqual(
      new Answer(403, {
        ...body,
        remaining_budget: null,
        reason: 'approval required',
        request_id: 'apr_1',
        message: 'ask',
        notified: 'pending',
        expires_at: 1_767_225_600,
      }),
    );
  });
});

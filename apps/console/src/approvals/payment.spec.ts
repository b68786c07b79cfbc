import { isPayment, sumOf } from './payment.ts';

const payment = (details: string, amount: number) => ({ tool: 'haldir.vault', digest: 'd', details, amount });

it.each([
  ['in dollars', '{"amount":7.5,"currency":"USD","description":""}', 7.5, '$7.50'],
  ['in a currency with a rate', '{"amount":7.5,"currency":"EUR"}', 8.1, 'EUR\u00a07.50 ($8.10)'],
  ['in a currency without a rate', '{"amount":90000,"currency":"SEK"}', 0, 'SEK\u00a090,000.00'],
  ['in one that has no smaller units', '{"amount":500,"currency":"JPY"}', 0, 'JPY\u00a0500'],
  ['in one that has many', '{"amount":1.2345,"currency":"UYW"}', 0, 'UYW\u00a01.2345'],
  ['whose details are cut', '{"amount":7.5,"curr', 8.1, 'what its details say ($8.10)'],
  ['whose details are cut, without a rate', '{"amount":7.5,"curr', 0, 'what its details say'],
])('a payment %s', (_, details, amount, text) => expect(sumOf(payment(details, amount))).toBe(text));

it('is a payment where Haldir says so', () => {
  expect(isPayment(payment('{}', 1))).toBe(true);
  expect(isPayment({ ...payment('{}', 1), digest: null })).toBe(false);
  expect(isPayment({ ...payment('{}', 1), tool: 'up.pay' })).toBe(false);
});

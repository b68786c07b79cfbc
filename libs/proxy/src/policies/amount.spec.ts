import { type Decimal, decimalOf, toJsonNumber } from '@haldir/kernel';
import { amountOf, ceilMicroUsd, ruledAmount } from './amount.js';

describe('the amount of a call', () => {
  it.each([
    [{ amount: 12.5 }, 12.5],
    [{ amount: '12.5' }, 12.5],
    [{ amount: ' +1e3 ' }, 1000],
    [{ amount: '-.5' }, -0.5],
    [{ amount: '12 USD' }, 'unclear'],
    [{ amount: '0x10' }, 'unclear'],
    [{ amount: '' }, 'unclear'],
    [{ amount: true }, 'unclear'],
    [{ amount: null }, null],
    [{ amount: [5] }, 'unclear'],
    [{ amount: { value: 5 } }, 'unclear'],
    [{}, null],
    [Object.create({ amount: 5 }) as Record<string, unknown>, null],
  ])('of %j is %s', (args, amount) => {
    const found = amountOf(args);
    expect(found === null || found === 'unclear' ? found : toJsonNumber(found)).toBe(amount);
  });
});

describe('an amount in micro-dollars', () => {
  it.each([
    [0, 0n],
    [-5, 0n],
    [0.1, 100_000n],
    [100, 100_000_000n],
    [100.0000001, 100_000_001n],
    [0.1 + 0.2, 300_001n],
    [5e-324, 1n],
    [-0.0000001, 0n],
    [1e300, 9_000_000_000_000_000_000n],
  ])('of %d dollars is %d: never less than it was', (dollars, micros) => {
    expect(ceilMicroUsd(decimalOf(dollars) as Decimal)).toBe(micros);
  });
});

it('is none or unclear to approval rules where it is to policies', () => {
  expect([null, 'unclear' as const, decimalOf(0.0000001)].map(ruledAmount)).toEqual([null, 'unclear', 1n]);
});

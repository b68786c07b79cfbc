import fc from 'fast-check';
import {
  addDecimals,
  compareDecimals,
  type Decimal,
  decimalOf,
  nearestUnits,
  toJsonNumber,
  unitsAbove,
} from './decimal.js';
import { JsonNumber } from './json-number.js';

const of = (text: string): Decimal => decimalOf(text) ?? { units: -1n, scale: 999 };

it.each([
  ['1e2', '100'],
  ['1.50', '1.5'],
  ['-0.0', '0'],
  ['.5', '0.5'],
  ['+5.', '5'],
  ['12345678901234567890.1234567890', '12345678901234567890.123456789'],
  ['1E-3', '0.001'],
])('%s is %s', (text, plain) => {
  expect(String(toJsonNumber(of(text)))).toBe(plain);
  expect(compareDecimals(of(text), of(plain))).toBe(0);
});

it.each([
  '',
  ' 1',
  '1,000',
  '0x10',
  '1e00003',
  '1e9999',
  '1e1001',
  'Infinity',
  'NaN',
  '1.2.3',
  '１',
  '9'.repeat(1_001),
  '.',
])('%j is no number that anybody counts with', (text) => {
  expect(decimalOf(text)).toBeNull();
});

it('reads numbers as they are written, and doubles as their shortest text', () => {
  expect(decimalOf(0.1)).toEqual({ units: 1n, scale: 1 });
  expect(decimalOf(new JsonNumber('9007199254740993'))).toEqual({ units: 9007199254740993n, scale: 0 });
  expect(decimalOf(Infinity)).toBeNull();
});

it('compares and adds exactly', () => {
  const [low, high] = [of('0.1'), of('0.1000000000000000000000001')];
  expect([compareDecimals(low, high), compareDecimals(high, low), compareDecimals(high, high)]).toEqual([-1, 1, 0]);
  expect(toJsonNumber(addDecimals(of('0.1'), of('0.2')))).toBe(0.3);
});

it('rounds half to even, whatever the sign, and up where that is asked', () => {
  const rounded = (text: string): bigint => nearestUnits(of(text), 0).units;
  expect(['0.5', '1.5', '2.5', '-0.5', '-1.5', '2.5000000001', '-2.4', '7'].map(rounded)).toEqual([
    ...[0n, 2n, 2n, 0n, -2n, 3n, -2n, 7n],
  ]);
  expect(['0.1', '1', '-1.5'].map((text) => unitsAbove(of(text), 0))).toEqual([1n, 1n, -1n]);
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(12), fc.nat(6), (units, scale, decimals) => {
      const nearest = nearestUnits({ units, scale }, decimals);
      const half = { units: 5n, scale: decimals + 1 };
      expect(compareDecimals(nearest.off, half)).toBeLessThanOrEqual(0);
    }),
  );
});

import fc from 'fast-check';
import {
  currencyExponent,
  fromMinorUnits,
  microUsd,
  minorToMicros,
  settledUnits,
  toDollars,
  toMinorUnits,
} from './money.js';

it('reads a number from its shortest decimal text', () => {
  expect(toMinorUnits(0.1, 2)).toBe(10n);
  expect(toMinorUnits(10.005, 2)).toBeNull();
  expect(toMinorUnits(1e21, 0)).toBe(10n ** 21n);
  expect(toMinorUnits(1e-7, 6)).toBeNull();
  expect(toMinorUnits(0.000001, 6)).toBe(1n);
  expect(toMinorUnits(-2.5, 1)).toBe(-25n);
  expect(toMinorUnits(NaN, 2)).toBeNull();
});

it('takes what doubles made of an amount for that amount, within a billionth and no farther', () => {
  expect(settledUnits(0.1 + 0.2, 2)).toBe(30n);
  expect(settledUnits('0.300000001', 2)).toBe(30n);
  expect(settledUnits('0.299999999', 2)).toBe(30n);
  expect(settledUnits('0.3000000011', 2)).toBeNull();
  expect(settledUnits(0.305, 2)).toBeNull();
  expect(settledUnits(NaN, 2)).toBeNull();
});

it('gives back every amount of minor units exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }), fc.constantFrom(0, 2, 3, 4), (units, decimals) => {
      expect(toMinorUnits(fromMinorUnits(units, decimals), decimals)).toBe(units);
    }),
  );
});

it('adds a million tenths to exactly 100,000', () => {
  let sum = 0n;
  for (let i = 0; i < 1_000_000; i++) sum += microUsd(0.1);
  expect(toDollars(sum as ReturnType<typeof microUsd>)).toBe(100_000);
});

it('knows the decimals of currencies, and only of real ones', () => {
  expect(['USD', 'EUR', 'JPY', 'KWD', 'CLF', 'XYZ', 'usd'].map(currencyExponent)).toEqual([2, 2, 0, 3, 4, null, null]);
  expect(minorToMicros(999n, 2)).toBe(9_990_000n);
  expect(() => microUsd(0.0000001)).toThrow('six decimals');
});

it('knows which currencies have no decimals, three or four, as ISO 4217 has them', () => {
  const none = [
    'BIF',
    'CLP',
    'DJF',
    'GNF',
    'ISK',
    'JPY',
    'KMF',
    'KRW',
    'PYG',
    'RWF',
    'UGX',
    'UYI',
    'VND',
    'VUV',
    'XAF',
    'XOF',
    'XPF',
  ];
  const three = ['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'];
  const four = ['CLF', 'UYW'];
  expect(none.filter((code) => currencyExponent(code) !== 0)).toEqual([]);
  expect(three.filter((code) => currencyExponent(code) !== 3)).toEqual([]);
  expect(four.filter((code) => currencyExponent(code) !== 4)).toEqual([]);
});

it('takes an amount of more decimals than a currency has for none at all, however small the rest', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.constantFrom(0, 2, 3), (units, decimals) => {
      const finer = fromMinorUnits(BigInt(units) * 10n + 1n, decimals + 1);
      expect(toMinorUnits(finer, decimals)).toBeNull();
    }),
  );
});

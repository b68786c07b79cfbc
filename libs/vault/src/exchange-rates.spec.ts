import fc from 'fast-check';
import { ExchangeRates } from './exchange-rates.js';

const rates = (entries: Record<string, string>) => new ExchangeRates({ fxRates: new Map(Object.entries(entries)) });

it('takes dollars as they are', () => {
  expect(rates({}).toUsd({ minor: 1005n, currency: 'USD', exponent: 2 })).toEqual({ micros: 10_050_000n, rate: null });
});

it('ignores a rate for the dollar itself', () => {
  expect(rates({ USD: '2' }).toUsd({ minor: 100n, currency: 'USD', exponent: 2 })?.micros).toBe(1_000_000n);
});

it.each([
  ['EUR', 2, '1.08', 1000n, 10_800_000n],
  ['JPY', 0, '0.0067', 1000n, 6_700_000n],
  ['KWD', 3, '3.25', 1n, 3_250n],
  ['EUR', 2, '1.0800001', 1n, 10_801n],
  ['JPY', 0, '0.0000001', 1n, 1n],
])('converts %s (%i decimals) at %s exactly, and rounds up', (currency, exponent, rate, minor, micros) => {
  expect(rates({ [currency]: rate }).toUsd({ minor, currency, exponent })).toEqual({ micros, rate });
});

it('knows no currency without a rate, nor one that is worth nothing', () => {
  expect(rates({ EUR: '1.08' }).toUsd({ minor: 1n, currency: 'GBP', exponent: 2 })).toBeNull();
  expect(rates({ EUR: '0.00' }).toUsd({ minor: 1n, currency: 'EUR', exponent: 2 })).toBeNull();
});

it('is never below the exact value, and above it by less than a micro-dollar', () => {
  const minor = fc.bigInt({ min: 1n, max: 10n ** 10n });
  const digits = fc.integer({ min: 1, max: 10 ** 8 });
  fc.assert(
    fc.property(
      minor,
      digits,
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 0, max: 4 }),
      (minor, digits, decimals, exponent) => {
        const text = String(digits).padStart(decimals + 1, '0');
        const rate = decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
        const micros = rates({ XXX: rate }).toUsd({ minor, currency: 'XXX', exponent })?.micros ?? 0n;
        const scale = 10n ** BigInt(exponent + decimals);
        const excess = micros * scale - minor * BigInt(digits) * 1_000_000n;
        expect(excess >= 0n && excess < scale).toBe(true);
      },
    ),
  );
});

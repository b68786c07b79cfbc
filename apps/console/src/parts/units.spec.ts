import { usd } from './money.ts';
import { inUnits } from './times.tsx';

it.each([
  [0, '0 s'],
  [-5, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [3665, '1 h 1 min'],
  [3600, '1 h'],
  [90_061, '1 d 1 h'],
])('%d seconds are %s', (seconds, text) => expect(inUnits(seconds)).toBe(text));

it.each([
  [0, '$0.00'],
  [0.0000015, '$0.000002'],
  [0.000001, '$0.000001'],
  [7.5, '$7.50'],
  [1_000_000_000, '$1,000,000,000.00'],
])('%d dollars are %s', (amount, text) => expect(usd(amount)).toBe(text));

import { compareDecimals, type Decimal, decimalOf, nearestUnits } from './decimal.js';
import { type JsonNumber } from './json-number.js';

/** Millionths of a US dollar: budgets, costs and prices. Exact up to 9 billion dollars. */
export type MicroUsd = bigint & { readonly __unit: 'micro-usd' };

const MICROS_PER_USD = 1_000_000n;

/** ISO 4217 exponents that are not 2. */
const EXPONENTS: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
  CLF: 4, UYW: 4,
}; // prettier-ignore

/** No currency has more decimals. */
export const MAX_EXPONENT = 4;

const TWO_DECIMALS =
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG';
const CURRENCIES: ReadonlyMap<string, number> = new Map([
  ...TWO_DECIMALS.split(' ').map((code): [string, number] => [code, 2]),
  ...Object.entries(EXPONENTS),
]);

/** Digits after the decimal point of an ISO 4217 currency, or null when the code is unknown. */
export function currencyExponent(code: string): number | null {
  return CURRENCIES.get(code) ?? null;
}

/**
 * The exact integer of `value × 10^decimals`, read from the number's shortest decimal text, so that 0.1 is one tenth.
 * Null when the number has more decimals than that, or is not finite.
 */
export function toMinorUnits(value: number, decimals: number): bigint | null {
  const exact = decimalOf(value);
  if (!exact) return null;
  const { units, off } = nearestUnits(exact, decimals);
  return off.units === 0n ? units : null;
}

/** What computing with doubles may leave of an amount. */
const TOLERANCE: Decimal = { units: 1n, scale: 9 };

/** The same of a number that is within a billionth (of 1, not of the unit) of such an amount, which is what it means then. */
export function settledUnits(value: number | JsonNumber | string, decimals: number): bigint | null {
  const exact = decimalOf(value);
  if (!exact) return null;
  const { units, off } = nearestUnits(exact, decimals);
  return compareDecimals(off, TOLERANCE) <= 0 ? units : null;
}

/** The number whose shortest decimal text is `units / 10^decimals`. */
export function fromMinorUnits(units: bigint, decimals: number): number {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(decimals + 1, '0');
  const split = digits.length - decimals;
  return Number(`${negative ? '-' : ''}${digits.slice(0, split)}.${digits.slice(split) || '0'}`);
}

/** @throws Error when `dollars` has more than six decimals */
export function microUsd(dollars: number): MicroUsd {
  const micros = toMinorUnits(dollars, 6);
  if (micros === null) throw new Error('a dollar amount has at most six decimals');
  return micros as MicroUsd;
}

export function toDollars(micros: MicroUsd): number {
  return fromMinorUnits(micros, 6);
}

/** Minor units of a currency as micro-units of it: 1 cent is 10,000 micro-dollars. */
export function minorToMicros(units: bigint, exponent: number): bigint {
  return (units * MICROS_PER_USD) / 10n ** BigInt(exponent);
}

import { JsonNumber } from './json-number.js';
import { parseJson } from './json-text.js';

/** An exact decimal number: `units` divided by ten `scale` times. */
export interface Decimal {
  readonly units: bigint;
  /** Not negative. */
  readonly scale: number;
}

/** Beyond these, counting takes longer than any amount is worth. */
const MAX_DIGITS = 1_000;
const MAX_POWER = 1_000;
const PLAIN = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,4}))?$/;

/**
 * The exact value of a number, a `number` being what its shortest text says, or of a text that is nothing but a number. Null for
 * what is no number, and for one of more than 1,000 digits, or more zeros.
 */
export function decimalOf(value: number | JsonNumber | string): Decimal | null {
  const text = value instanceof JsonNumber ? value.text : String(value);
  if (text.length > MAX_DIGITS + 16) return null;
  const [, sign, mantissa, power = '0'] = PLAIN.exec(text) ?? [];
  if (mantissa === undefined || mantissa.length > MAX_DIGITS || Math.abs(Number(power)) > MAX_POWER) return null;
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = BigInt(whole + fraction);
  const scale = fraction.length - Number(power);
  const units = scale < 0 ? digits * 10n ** BigInt(-scale) : digits;
  return { units: sign === '-' ? -units : units, scale: Math.max(0, scale) };
}

/** Below zero, zero or above it, as the first is less than the second, equal or more. */
export function compareDecimals(one: Decimal, other: Decimal): number {
  const scale = Math.max(one.scale, other.scale);
  const difference = unitsAt(one, scale) - unitsAt(other, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function addDecimals(one: Decimal, other: Decimal): Decimal {
  const scale = Math.max(one.scale, other.scale);
  return { units: unitsAt(one, scale) + unitsAt(other, scale), scale };
}

/** The nearest whole number of units of `10^-decimals`, half to even, and by how much it is off. */
export function nearestUnits(value: Decimal, decimals: number): { units: bigint; off: Decimal } {
  const scale = Math.max(value.scale, decimals);
  const exact = unitsAt(value, scale);
  const one = 10n ** BigInt(scale - decimals);
  // BigInt division goes towards zero.
  const below = exact / one - (exact < 0n && exact % one !== 0n ? 1n : 0n);
  const rest = exact - below * one;
  const isUp = 2n * rest > one || (2n * rest === one && below % 2n !== 0n);
  const units = isUp ? below + 1n : below;
  const off = exact - units * one;
  return { units, off: { units: off < 0n ? -off : off, scale } };
}

/** The smallest whole number of units of `10^-decimals` that is no less. */
export function unitsAbove(value: Decimal, decimals: number): bigint {
  const { units } = nearestUnits(value, decimals);
  return compareDecimals({ units, scale: decimals }, value) < 0 ? units + 1n : units;
}

/** As JSON has it. */
export function toJsonNumber({ units, scale }: Decimal): number | JsonNumber {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  let end = digits.length;
  while (end > digits.length - scale && digits[end - 1] === '0') end--;
  const fraction = digits.slice(digits.length - scale, end);
  const text = `${units < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${fraction === '' ? '' : `.${fraction}`}`;
  return parseJson(text) as number | JsonNumber;
}

function unitsAt({ units, scale }: Decimal, wanted: number): bigint {
  return units * 10n ** BigInt(wanted - scale);
}

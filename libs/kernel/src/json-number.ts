/**
 * A number of JSON as it was written, for one that JavaScript would write otherwise: `1.0`, `1e2`, `-0`, 9007199254740993,
 * 0.1000000000000000055. Every other number is a `number`. See docs/adr/0020-numbers-as-written.md.
 */
export class JsonNumber {
  /** @param text a number of JSON that JavaScript would not write so */
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  /** `JSON.stringify` has no way to write a number from its text, so it must not come to see one. */
  toJSON(): never {
    throw FOUND;
  }
}

/** Tells `stringifyJson` that there is something to write which `JSON.stringify` cannot. */
export const FOUND = new Error('a JsonNumber is written by stringifyJson');

/** Whether JavaScript writes the number as it stands. */
export function isPlain(text: string): boolean {
  return String(Number(text)) === text;
}

/** The `number` that is exactly this one, however it is written (1.0 is 1); null where there is none, and for what is no number. */
export function exactNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (!(value instanceof JsonNumber)) return null;
  const near = Number(value.text);
  return Number.isFinite(near) && sameValue(value.text, String(near)) ? near + 0 : null;
}

export function isNumber(value: unknown): value is number | JsonNumber {
  return typeof value === 'number' || value instanceof JsonNumber;
}

/** Whether it has no fraction, however it is written and however large it is. */
export function isWhole(value: number | JsonNumber): boolean {
  return typeof value === 'number' ? Number.isInteger(value) : significant(value.text).exponent >= 0;
}

/** Whether two texts of numbers have the same value: the same digits at the same place, zeros around them aside. */
function sameValue(one: string, other: string): boolean {
  const [a, b] = [significant(one), significant(other)];
  return a.digits === b.digits && (a.digits === '' || (a.isNegative === b.isNegative && a.exponent === b.exponent));
}

/** The digits without zeros at either end, and the power of ten of the last one. */
function significant(text: string): { isNegative: boolean; digits: string; exponent: number } {
  const isNegative = text.startsWith('-');
  const [mantissa = '', power = '0'] = (isNegative ? text.slice(1) : text).split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  let end = all.length;
  while (end > 0 && all.charCodeAt(end - 1) === 48) end--;
  let start = 0;
  while (start < end && all.charCodeAt(start) === 48) start++;
  return {
    isNegative,
    digits: all.slice(start, end),
    exponent: Number(power) - fraction.length + (all.length - end),
  };
}

import { FOUND, isPlain, JsonNumber } from './json-number.js';

/** What there is to know of a text before it is parsed. */
export type Outlook =
  /** `JSON.parse` reads it as it is written. */
  | 'plain'
  /** It has numbers that `JSON.parse` would change. */
  | 'exact'
  | 'too_deep'
  | 'too_many';

/** What a text may hold at most. */
export interface JsonLimits {
  maxDepth?: number;
  /** Values of any kind, those within others included. */
  maxValues?: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const COMMA = 0x2c;
const ZERO = 0x30;
const SMALL_E = 0x65;
/** Every decimal of so many digits is told apart by a double. */
const SAFE_DIGITS = 15;
/** Beyond these powers of ten a double holds fewer digits, or nothing. */
const MAX_SAFE_POWER = 290;

/**
 * Looks once over a text that may be JSON: at its nesting, how many values it has, and for numbers that are not written as
 * JavaScript writes them. Of a text that is no JSON it says something or other; parsing tells.
 */
export function outlookOn(text: string, { maxDepth = 256, maxValues = Infinity }: JsonLimits = {}): Outlook {
  let depth = 0;
  // The first value of anything follows a bracket, every other one a comma; what is empty counts as if it held one.
  let values = 1;
  let outlook: Outlook = 'plain';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) i = endOfString(text, i + 1);
    else if (unit === MINUS || isDigit(unit)) {
      const end = endOfNumber(text, i);
      if (outlook === 'plain' && !isPlainAt(text, i, end)) outlook = 'exact';
      i = end - 1;
    } else if (unit === COMMA) values++;
    else if (unit === 0x5b || unit === 0x7b) {
      values++;
      if (++depth > maxDepth) return 'too_deep';
    } else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return values > maxValues ? 'too_many' : outlook;
}

export class TooDeep extends SyntaxError {}
export class TooManyValues extends SyntaxError {}

/**
 * Parses JSON, with a `JsonNumber` for every number that JavaScript would not write as it stands there. The only way to read what
 * is passed on.
 *
 * @throws SyntaxError for what is no JSON; TooDeep and TooManyValues, which are such, for what is beyond the limits: 256 levels, any
 *   number of values, where they do not say otherwise
 */
export function parseJson(text: string, limits?: JsonLimits): unknown {
  const outlook = outlookOn(text, limits);
  if (outlook === 'too_deep') throw new TooDeep('nested too deeply');
  if (outlook === 'too_many') throw new TooManyValues('too many values');
  return outlook === 'plain' ? JSON.parse(text) : new ExactReader(text).read();
}

/** Writes JSON, each `JsonNumber` as it came. The counterpart of `parseJson`. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error !== FOUND) throw error;
    return written(value) ?? 'null';
  }
}

/** As `JSON.stringify` has it, but for exact numbers; undefined for what it leaves out. */
function written(given: unknown): string | undefined {
  if (given instanceof JsonNumber) return given.text;
  if (typeof given !== 'object' || given === null) return JSON.stringify(given);
  if ('toJSON' in given && typeof given.toJSON === 'function') return JSON.stringify(given);
  if (Array.isArray(given)) return `[${given.map((item) => written(item) ?? 'null').join(',')}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(given)) {
    const text = written(member);
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= 0x39;
}

function endOfNumber(text: string, from: number): number {
  let at = from + 1;
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (!isDigit(unit) && unit !== POINT && (unit | 0x20) !== SMALL_E && unit !== MINUS && unit !== PLUS) break;
  }
  return at;
}

/**
 * Whether JavaScript writes the number as it stands there. Told by the looks of it, as far as 15 significant digits go, of which a
 * double holds any; only longer ones have to be made and written.
 */
function isPlainAt(text: string, from: number, to: number): boolean {
  const first = text.charCodeAt(from) === MINUS ? from + 1 : from;
  let at = first;
  let point = -1;
  let significant = 0;
  let zerosBefore = 0;
  let zerosAfter = 0;
  for (; at < to; at++) {
    const unit = text.charCodeAt(at);
    if (unit === POINT) point = at;
    else if (unit !== ZERO && !isDigit(unit)) break;
    else if (unit !== ZERO) {
      significant += zerosAfter + 1;
      zerosAfter = 0;
    } else if (significant > 0) zerosAfter++;
    else if (point !== -1) zerosBefore++;
  }
  const whole = (point === -1 ? at : point) - first;
  if (significant === 0) return to - from === 1;
  if (significant > 17 || (point !== -1 && text.charCodeAt(at - 1) === ZERO)) return false;
  if (at === to) {
    // JavaScript writes 1e+21 and 1e-7, and everything between without an exponent.
    if (whole > 21 || zerosBefore > 5) return false;
  } else {
    if (whole > 1 || text.charCodeAt(first) === ZERO || text.charCodeAt(at) !== SMALL_E) return false;
    const sign = text.charCodeAt(at + 1);
    const power = Number(text.slice(at + 2, to));
    if (power < (sign === MINUS ? 7 : sign === PLUS ? 21 : Infinity) || text.charCodeAt(at + 2) === ZERO) return false;
    if (power > MAX_SAFE_POWER) return isPlain(text.slice(from, to));
  }
  return significant <= SAFE_DIGITS || isPlain(text.slice(from, to));
}

/** The index of the quote that ends the string whose contents begin at `from`; the text's length where none does. */
function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote !== -1) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** A string without escapes. */
const SIMPLE_STRING = /"[^"\\\u0000-\u001f]*"/y;
const WORD = /true|false|null/y;
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** Reads JSON of bounded depth as `JSON.parse` does, but for its numbers. */
class ExactReader {
  private at = 0;

  constructor(private readonly text: string) {}

  read(): unknown {
    const value = this.value();
    this.skipSpace();
    if (this.at !== this.text.length) this.fail();
    return value;
  }

  private value(): unknown {
    this.skipSpace();
    switch (this.text[this.at]) {
      case '{':
        return this.object();
      case '[':
        return this.array();
      case '"':
        return this.string();
      case 't':
      case 'f':
      case 'n':
        return this.word();
      default:
        return this.number();
    }
  }

  private object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    if (this.begins('}')) return object;
    do {
      this.skipSpace();
      const key = this.string();
      this.skipSpace();
      if (this.text[this.at++] !== ':') this.fail();
      const value = this.value();
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      else object[key] = value;
    } while (this.goesOn('}'));
    return object;
  }

  private array(): unknown[] {
    const array: unknown[] = [];
    if (this.begins(']')) return array;
    do array.push(this.value());
    while (this.goesOn(']'));
    return array;
  }

  /** Past the opening bracket, and the closing one if that follows. */
  private begins(closing: string): boolean {
    this.at++;
    this.skipSpace();
    if (this.text[this.at] !== closing) return false;
    this.at++;
    return true;
  }

  private goesOn(closing: string): boolean {
    this.skipSpace();
    const next = this.text[this.at++];
    if (next !== ',' && next !== closing) this.fail();
    return next === ',';
  }

  private string(): string {
    const from = this.at;
    SIMPLE_STRING.lastIndex = from;
    if (SIMPLE_STRING.test(this.text)) {
      this.at = SIMPLE_STRING.lastIndex;
      return this.text.slice(from + 1, this.at - 1);
    }
    if (this.text[from] !== '"') this.fail();
    this.at = endOfString(this.text, from + 1) + 1;
    return JSON.parse(this.text.slice(from, this.at)) as string;
  }

  private word(): boolean | null {
    WORD.lastIndex = this.at;
    const [found = this.fail()] = WORD.exec(this.text) ?? [];
    this.at += found.length;
    return WORDS[found] ?? null;
  }

  private number(): number | JsonNumber {
    const from = this.at;
    this.at = endOfNumber(this.text, from);
    const text = this.text.slice(from, this.at);
    if (!NUMBER.test(text)) this.fail();
    return isPlainAt(this.text, from, this.at) ? Number(text) : new JsonNumber(text);
  }

  private skipSpace(): void {
    for (; this.at < this.text.length; this.at++) {
      const unit = this.text.charCodeAt(this.at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) break;
    }
  }

  private fail(): never {
    throw new SyntaxError('no JSON');
  }
}

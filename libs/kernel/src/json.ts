import { JsonNumber } from './json-number.js';

export type JsonValue =
  string | number | JsonNumber | boolean | null | JsonValue[] | { [key: string]: JsonValue | undefined };

/**
 * RFC 8785 (JCS): members sorted by UTF-16 code units, no white space, ECMAScript number and string forms; but a `JsonNumber` is
 * written as it came, so that no two numbers that were written otherwise have one digest. `undefined` members are left out.
 *
 * @throws Error on a non-finite number or a lone surrogate, which JCS forbids
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error('canonical JSON has no non-finite numbers');
    return String(value);
  }
  if (typeof value === 'string') {
    if (!isStorableText(value, true)) throw new Error('canonical JSON has no lone surrogates');
    return JSON.stringify(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (value instanceof JsonNumber) return value.text;
  // Joined as it is made: a list of as many texts as there are values would cost several times as much.
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${canonicalJson(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** Whether Postgres can keep the text: no NUL (unless allowed), no lone surrogate. */
export function isStorableText(text: string, allowNul = false): boolean {
  return (allowNul || !text.includes('\0')) && !LONE_SURROGATE.test(text);
}

/** A key that may stand in a message: anything else would let a client write there what it likes. */
const PLAIN_KEY = /^[\w-]{1,64}$/;

/**
 * The path of the first text in `value` that Postgres cannot keep, or null. Keys count as texts too, and none may be
 * `__proto__`, which programs take for something else. The path ends before the first key that is not a plain name.
 */
export function findUnstorable(value: unknown, path = ''): string | null {
  if (typeof value === 'string') return isStorableText(value) ? null : path || 'body';
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return null;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item !== 'string' && typeof item !== 'object') continue;
      const found = findUnstorable(item, path === '' ? String(i) : `${path}.${i}`);
      if (found !== null) return found;
    }
    return null;
  }
  for (const [key, member] of Object.entries(value)) {
    if (!isStorableText(key) || key === '__proto__') return path || 'body';
    const isPlain = PLAIN_KEY.test(key);
    const found = findUnstorable(member, isPlain && path !== '' ? `${path}.${key}` : isPlain ? key : path);
    if (found !== null) return isPlain ? found : path || 'body';
  }
  return null;
}

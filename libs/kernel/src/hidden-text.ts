import { JsonNumber } from './json-number.js';

/**
 * Characters that show as nothing, or change how what is beside them shows: controls but for tab and line ends, everything
 * Unicode calls format or default-ignorable (zero-width, bidirectional, tags, variation selectors), other line ends.
 */
const HIDDEN = String.raw`[\p{Cf}\p{DI}\p{Zl}\p{Zp}\u2800]|(?![\t\n\r])\p{Cc}`;
const hidden = new RegExp(HIDDEN, 'u');
/** What reads like an escape is escaped too, so that no two texts are shown alike. */
const shownOtherwise = new RegExp(String.raw`${HIDDEN}|\\(?=u\{)`, 'gu');

/** The text with every hidden character as `\u{…}`, so that it shows what it holds. */
export function visibleText(text: string): string {
  return hidden.test(text) || text.includes('\\u{')
    ? text.replace(shownOtherwise, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
    : text;
}

/** JSON, read, with every text and member name in it as `visibleText` has it. */
export function visibleJson<Json>(value: Json): Json {
  return shown(value) as Json;
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return visibleText(value);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [visibleText(key), shown(member)]));
}

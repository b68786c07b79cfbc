import { type Needle } from './needle-search.js';
import { plainText } from './plain-text.js';

/** A shorter one would be found where nobody meant it. */
const MIN_LENGTH = 8;

/** The ways in which a value is commonly written: what to look for in an answer. White space around it does not count. */
export function formsOf(value: string, label: string): Needle[] {
  const trimmed = value.trim();
  const text = trimmed.length < MIN_LENGTH ? value : trimmed;
  const inJson = JSON.stringify(text).slice(1, -1);
  const inUrl = encodeURIComponent(text);
  const inForm = new URLSearchParams([['', text]]).toString().slice(1);
  const written = [
    text,
    text.replaceAll(' ', '+'),
    ...inBothCases(eachUnit(inJson, (code) => (code > 126 ? unicodeEscape(code) : String.fromCharCode(code)))),
    ...inBothCases(eachUnit(text, unicodeEscape)),
    inJson,
    inJson.replaceAll('/', '\\/'),
    JSON.stringify(inJson).slice(1, -1),
    ...[inUrl, inForm, percentEncoded(text)].flatMap((form) => {
      const [upper, lower] = [form, form.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())];
      return [upper, lower, encodeURIComponent(upper), encodeURIComponent(lower)];
    }),
    ...inHtml(text),
    Buffer.from(text).toString('hex'),
    Buffer.from(text).toString('hex').toUpperCase(),
  ];
  const plain = [text.replace(/\s+/g, ''), plainText(text), plainText(plainText(text))].filter(
    ({ length }) => length >= MIN_LENGTH,
  );
  const whole = [...written, ...plain].map((form): Needle => ({ text: form, before: 0, after: 0, label }));
  const needles = [...whole, ...[text, inJson].flatMap((form) => base64Forms(form, label))];
  return [...new Map(needles.map((needle) => [needle.text, needle])).values()];
}

/**
 * What of the text's base64 stays the same whatever stands around it, for each of the three places it can have within the
 * encoded bytes; the characters at its ends, which hold a few bits of it each, are told apart.
 */
function base64Forms(text: string, label: string): Needle[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text), Buffer.alloc(2)]);
    const bits = (bytes.length - 2) * 8;
    const core = bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor(bits / 6));
    const ends = { before: offset === 0 ? 0 : 1, after: bits % 6 === 0 ? 0 : 1, label } as const;
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')].map((form) => ({ text: form, ...ends }));
  });
}

const NAMES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** As templates write it, by number and by name; most know no name for an apostrophe. */
function inHtml(text: string): string[] {
  const escaped = (write: (char: string) => string): string => text.replace(/[&<>"']/g, write);
  const byNumber = (char: string): string => `&#${char.charCodeAt(0)};`;
  const byName = (char: string): string => `&${NAMES[char] ?? ''};`;
  return [escaped(byNumber), escaped(byName), escaped((char) => (char === "'" ? byNumber(char) : byName(char)))];
}

/** With the digits of escapes in lower and in upper case. */
function inBothCases(text: string): [string, string] {
  return [text, text.replace(/\\u[0-9a-f]{4}/g, (escape) => `\\u${escape.slice(2).toUpperCase()}`)];
}

function eachUnit(text: string, write: (code: number) => string): string {
  return Array.from({ length: text.length }, (_, i) => write(text.charCodeAt(i))).join('');
}

function unicodeEscape(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

function percentEncoded(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

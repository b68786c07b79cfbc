import { type SearchPattern } from './multi-pattern-search.js';
import { plainText } from './decoding.js';

/** A shorter one would be found where nobody meant it. */
const MIN_LENGTH = 8;

/**
 * The ways in which a value is commonly written: what to look for in an answer. White space around it does not count. Made one
 * after the other, because of a long value each takes a while.
 */
export function* formsOf(value: string, label: string): Generator<SearchPattern> {
  const trimmed = value.trim();
  const text = trimmed.length < MIN_LENGTH ? value : trimmed;
  const seen = new Set<string>();
  const patterns = function* (forms: Iterable<SearchPattern>): Generator<SearchPattern> {
    for (const form of forms) {
      if (seen.has(form.text)) continue;
      seen.add(form.text);
      yield form;
    }
  };
  yield* patterns(whole(written(text), label));
  yield* patterns(whole(read(text), label));
  for (const form of [text, inJson(text)]) yield* patterns(base64Forms(form, label));
}

function* whole(forms: Iterable<string>, label: string): Generator<SearchPattern> {
  for (const text of forms) yield { text, before: 0, after: 0, label };
}

function* written(text: string): Generator<string> {
  const json = inJson(text);
  yield text;
  yield text.replaceAll(' ', '+');
  yield* inBothCases(eachUnit(json, (code) => (code > 126 ? unicodeEscape(code) : String.fromCharCode(code))));
  yield* inBothCases(eachUnit(text, unicodeEscape));
  yield json;
  yield json.replaceAll('/', '\\/');
  yield inJson(json);
  for (const encoded of [encodeURIComponent, inForm, percentEncoded]) {
    const upper = encoded(text);
    const lower = upper.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
    yield upper;
    yield lower;
    yield encodeURIComponent(upper);
    yield encodeURIComponent(lower);
  }
  yield* inHtml(text);
  const hex = Buffer.from(text).toString('hex');
  yield hex;
  yield hex.toUpperCase();
}

/** An end that, with what happens to follow it, could read as an escape: the beginning of one that `plainText` undoes. */
const BEGUN_ESCAPE =
  /(?:%[0-9a-f]?|&(?:#(?:\d{0,7}|x[0-9a-f]{0,6})|a(?:mp?|p(?:os?)?)?|[lg]t?|q(?:uot?|u)?)?|\\(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?)$/i;

/** As it reads once escapes and white space are gone. */
function* read(text: string): Generator<string> {
  for (const plain of [text.replace(/\s+/g, ''), plainText(text), plainText(plainText(text))])
    for (const form of [plain, plain.replace(BEGUN_ESCAPE, '')]) if (form.length >= MIN_LENGTH) yield form;
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function inForm(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/**
 * What of the text's base64 stays the same whatever stands around it, for each of the three places it can have within the
 * encoded bytes; the characters at its ends, which hold a few bits of it each, are told apart.
 */
function base64Forms(text: string, label: string): SearchPattern[] {
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
  let all = '';
  for (let i = 0; i < text.length; i++) all += write(text.charCodeAt(i));
  return all;
}

function unicodeEscape(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

function percentEncoded(text: string): string {
  return Buffer.from(text).toString('hex').toUpperCase().replace(/../g, '%$&');
}

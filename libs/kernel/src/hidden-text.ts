import { JsonNumber } from './json-number.js';
import { stringifyJson } from './json-text.js';
import { Turns } from './turns.js';

/**
 * Characters that show as nothing, or change how what is beside them shows: controls but for tab and line ends, everything
 * Unicode calls format or default-ignorable (zero-width, bidirectional, tags, variation selectors), other line ends.
 */
const HIDDEN = String.raw`[\p{Cf}\p{DI}\p{Zl}\p{Zp}\u2800]|(?![\t\n\r])\p{Cc}`;
/** Most texts: told at once. */
const plain = /^[\t\n\r -[\]-~]*$/;
const hidden = new RegExp(HIDDEN, 'u');
/** What reads like an escape is escaped too, so that no two texts are shown alike. */
const shownOtherwise = new RegExp(String.raw`${HIDDEN}|\\(?=u\{)`, 'gu');

/** The text with every hidden character as `\u{…}`, so that it shows what it holds. */
export function visibleText(text: string): string {
  return isShownOtherwise(text) ? text.replace(shownOtherwise, escaped) : text;
}

function isShownOtherwise(text: string): boolean {
  if (plain.test(text)) return false;
  return hidden.test(text) || text.includes('\\u{');
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
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

/** What `visibleText` answers, made in turns: of a long text. */
export async function visibleTextInTurns(text: string, turns = new Turns()): Promise<string> {
  if (!isShownOtherwise(text)) return text;
  const pieces = new Pieces();
  let from = 0;
  for (const { 0: character, index } of text.matchAll(shownOtherwise)) {
    pieces.add(text.slice(from, index) + escaped(character));
    from = index + character.length;
    if (turns.isOver) await turns.next();
  }
  pieces.add(text.slice(from));
  return pieces.joined();
}

/** The JSON text of what `visibleJson` answers, made in turns: of large JSON, read. */
export async function visibleJsonText(json: unknown, turns = new Turns()): Promise<string> {
  const pieces = new Pieces();
  /** What is being written, the innermost last; `names` is null of a list. */
  const open: { value: object; names: string[] | null; size: number; at: number }[] = [];
  const write = async (value: unknown): Promise<void> => {
    if (typeof value === 'string') pieces.add(JSON.stringify(await visibleTextInTurns(value, turns)));
    else if (typeof value !== 'object' || value === null || value instanceof JsonNumber)
      pieces.add(stringifyJson(value));
    else {
      const names = Array.isArray(value) ? null : Object.keys(value);
      pieces.add(names ? '{' : '[');
      open.push({ value, names, size: names?.length ?? (value as unknown[]).length, at: 0 });
    }
  };
  await write(json);
  for (let inner = open.at(-1); inner; inner = open.at(-1)) {
    if (turns.isOver) await turns.next();
    const { names, at, size } = inner;
    if (at === size) {
      pieces.add(names ? '}' : ']');
      open.pop();
      continue;
    }
    inner.at++;
    if (at > 0) pieces.add(',');
    const name = names?.[at];
    if (name !== undefined) pieces.add(`${JSON.stringify(visibleText(name))}:`);
    const next = (inner.value as Record<string, unknown>)[name ?? at];
    // Without waiting where there is nothing to wait for.
    if (typeof next === 'number') pieces.add(String(next));
    else await write(next);
  }
  return pieces.joined();
}

/** A text out of very many, of which some are joined at a time. */
class Pieces {
  private readonly joints: string[] = [];
  private latest: string[] = [];

  add(text: string): void {
    if (this.latest.push(text) < 1000) return;
    this.joints.push(this.latest.join(''));
    this.latest = [];
  }

  joined(): string {
    return this.joints.join('') + this.latest.join('');
  }
}

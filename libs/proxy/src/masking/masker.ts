import { isNumber, Turns } from '@haldir/kernel';
import { isObject } from '@haldir/mcp';
import { formsOf } from './encodings.js';
import { MultiPatternSearch, type SearchPattern } from './multi-pattern-search.js';
import { decodedBase64, plainText } from './decoding.js';

/** A value that must not be seen, and what its tenant calls it. */
export interface Hidden {
  name: string;
  text: string;
}

/** Members of MCP's content that hold bytes as base64, which clients decode. */
const BYTES = ['blob', 'data'];
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const HEX_RUN = /[0-9a-f]{12}/i;
/** No form of a value is shorter. */
const MIN_LENGTH = 4;
/** Of a long text, in characters. */
const PIECE = 65_536;
const MIN_OVERLAP = 4_096;
/** Characters that one of a value may become: four bytes, each percent-encoded twice. */
const UNITS_OF_ONE = 20;

/**
 * Takes values out of what an upstream says: as they are, escaped for JSON, URLs or HTML, in hex and in base64 of either
 * alphabet, at any place of a text, in names of members too. Where a value is found in encodings on top of each other (up to
 * three), or over several texts of one answer, the whole text is taken out. Linear in what is said, in turns with others.
 */
export class Masker {
  private readonly search = new MultiPatternSearch();
  /** Whether a value could also be said as a number. */
  private isNumeric = false;
  /** Beyond this, a text is looked through in pieces that overlap by as much as the longest value may take. */
  private overlap = MIN_OVERLAP;

  private constructor() {}

  /** @param hidden values of at least eight characters */
  static async of(hidden: readonly Hidden[]): Promise<Masker> {
    const masker = new Masker();
    const turns = new Turns();
    const eachForm = async (use: (pattern: SearchPattern) => void): Promise<void> => {
      for (const { name, text } of hidden) {
        for (const pattern of formsOf(text, labelOf(name))) {
          if (turns.isOver) await turns.next();
          use(pattern);
        }
      }
    };
    // Made twice rather than kept: they are many times as long as the values.
    await eachForm((pattern) => masker.search.add(pattern));
    await eachForm((pattern) => masker.search.settle(pattern));
    for (const { text } of hidden) {
      masker.isNumeric ||= /^\d+$/.test(text.trim());
      masker.overlap = Math.max(masker.overlap, text.length * UNITS_OF_ONE);
    }
    return masker;
  }

  /** What it takes to keep it, in bytes, about. */
  get size(): number {
    return this.search.size;
  }

  /** What was done so far to look for values. */
  get steps(): number {
    return this.search.steps;
  }

  /** The message without the values; the same object where nothing was found. */
  async mask(message: unknown): Promise<unknown> {
    const turns = new Turns();
    const said = this.saidIn(message);
    const masked: Replacements = { texts: new Map(), bytes: new Map() };
    for (const text of said.texts) {
      if (turns.isOver) await turns.next();
      const without = await this.text(text, turns);
      if (without !== text) masked.texts.set(text, without);
    }
    for (const text of said.bytes) {
      const label = await this.labelIn(text, turns);
      // What clients decode stays decodable.
      if (label !== null) masked.bytes.set(text, Buffer.from(label).toString('base64'));
    }
    const result = masked.texts.size + masked.bytes.size === 0 ? message : without(message, null, masked);
    const blocks = textsIn(result);
    const label = blocks.length > 1 ? await this.labelIn(blocks.join(''), turns) : null;
    return label === null ? result : withTexts(result, label);
  }

  /** All texts of a message, names of members included, each once. */
  private saidIn(message: unknown): { texts: Set<string>; bytes: Set<string> } {
    const said = { texts: new Set<string>(), bytes: new Set<string>() };
    const visit = (value: unknown, member: string | null): void => {
      if (typeof value === 'string') said[isBytes(value, member) ? 'bytes' : 'texts'].add(value);
      else if (isNumber(value) && this.isNumeric) said.texts.add(String(value));
      else if (Array.isArray(value)) for (const item of value) visit(item, null);
      else if (isObject(value)) {
        for (const [key, child] of Object.entries(value)) {
          said.texts.add(key);
          visit(child, key);
        }
      }
    };
    visit(message, null);
    return said;
  }

  private async text(text: string, turns: Turns): Promise<string> {
    if (text.length < MIN_LENGTH) return text;
    const masked = await this.search.replaceIn(text, turns);
    return (await this.labelInLayers(masked, turns)) ?? masked;
  }

  private async labelIn(text: string, turns: Turns): Promise<string | null> {
    return (await this.search.firstIn(text, turns)) ?? (await this.labelInLayers(text, turns));
  }

  /** Looks through encodings on top of each other; in a long text, also as it is without white space. */
  private async labelInLayers(text: string, turns: Turns): Promise<string | null> {
    const piece = Math.max(PIECE, 2 * this.overlap);
    if (text.length <= piece) return this.labelInPiece(text, turns);
    const stripped: string[] = [];
    for (const [at, each] of piecesOf(text, piece, this.overlap)) {
      const label = await this.labelInPiece(each, turns);
      if (label !== null) return label;
      stripped.push(text.slice(at, at + piece - this.overlap).replace(/\s+/g, ''));
    }
    const joined = stripped.join('');
    if (joined.length === text.length) return null;
    for (const [, each] of piecesOf(joined, piece, this.overlap)) {
      const label = await this.labelInPiece(each, turns);
      if (label !== null) return label;
    }
    return null;
  }

  private async labelInPiece(text: string, turns: Turns): Promise<string | null> {
    const seen = new Set<string>();
    const look = async (layer: string): Promise<string | null> => {
      if (layer.length < MIN_LENGTH || seen.has(layer)) return null;
      seen.add(layer);
      if (turns.isOver) await turns.next();
      const label = await this.search.firstIn(layer, turns);
      return label ?? (HEX_RUN.test(layer) ? this.search.firstIn(layer.toLowerCase(), turns) : null);
    };
    const once = plainText(text);
    // White space may be within base64, as in mail, or tell where it begins.
    const inBase64 = decodedBase64(text) + (once === text ? '' : `\n${decodedBase64(once)}`);
    if (turns.isOver) await turns.next();
    const inInner = decodedBase64(plainText(inBase64));
    for (const layer of [text, once, inBase64, inInner]) {
      const label = (await look(layer)) ?? (await look(layer.replace(/\s+/g, ''))) ?? (await look(plainText(layer)));
      if (label !== null) return label;
    }
    return null;
  }
}

/** What takes the place of texts and of bytes. */
interface Replacements {
  texts: Map<string, string>;
  bytes: Map<string, string>;
}

function isBytes(text: string, member: string | null): boolean {
  return member !== null && BYTES.includes(member) && BASE64.test(text);
}

function without(value: unknown, member: string | null, masked: Replacements): unknown {
  if (typeof value === 'string') return masked[isBytes(value, member) ? 'bytes' : 'texts'].get(value) ?? value;
  if (isNumber(value)) return masked.texts.get(String(value)) ?? value;
  if (Array.isArray(value)) return value.map((item) => without(item, null, masked));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [masked.texts.get(key) ?? key, without(child, key, masked)]),
  );
}

function* piecesOf(text: string, length: number, overlap: number): Generator<[at: number, piece: string]> {
  for (let at = 0; at < text.length; at += length - overlap) yield [at, text.slice(at, at + length)];
}

function labelOf(name: string): string {
  return `[secret:${name}]`;
}

/** What content blocks and resources say, in the order of the message. */
function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === 'text' && typeof member === 'string' ? [member] : textsIn(member),
  );
}

function withTexts(value: unknown, text: string): unknown {
  if (Array.isArray(value)) return value.map((item) => withTexts(item, text));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === 'text' && typeof member === 'string' ? text : withTexts(member, text),
    ]),
  );
}

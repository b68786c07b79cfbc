import { isObject } from '@haldir/mcp';
import { formsOf } from './secret-forms.js';
import { NeedleSearch } from './needle-search.js';
import { decodedBase64, plainText } from './plain-text.js';

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

/**
 * Takes values out of what an upstream says: as they are, escaped for JSON, URLs or HTML, in hex and in base64 of either
 * alphabet, at any place of a text, in names of members too. Where a value is found in encodings on top of each other (up to
 * three), or over several texts of one answer, the whole text is taken out. Linear in what is said.
 */
export class Masker {
  private readonly search: NeedleSearch;
  /** Values that could also be said as a number. */
  private readonly numeric: readonly string[];

  /** @param hidden values of at least eight characters */
  constructor(hidden: readonly Hidden[]) {
    this.search = new NeedleSearch(hidden.flatMap(({ name, text }) => formsOf(text, labelOf(name))));
    this.numeric = hidden.map(({ text }) => text.trim()).filter((text) => /^\d+$/.test(text));
  }

  /** The message without the values; the same object where nothing was found. */
  mask(message: unknown): unknown {
    const masked = this.value(message, null);
    const texts = textsIn(masked);
    const label = texts.length > 1 ? this.labelIn(texts.join('')) : null;
    return label === null ? masked : withTexts(masked, label);
  }

  private value(value: unknown, member: string | null): unknown {
    if (typeof value === 'string') {
      return member !== null && BYTES.includes(member) && BASE64.test(value) ? this.bytes(value) : this.text(value);
    }
    if (typeof value === 'number' && this.numeric.length > 0) return this.number(value);
    if (Array.isArray(value)) {
      const items = value.map((item) => this.value(item, null));
      return items.every((item, i) => item === value[i]) ? value : items;
    }
    if (!isObject(value)) return value;
    const members = Object.entries(value);
    const masked = members.map(([key, child]) => [this.text(key), this.value(child, key)] as const);
    const isSame = masked.every(([key, child], i) => key === members[i]?.[0] && child === members[i]?.[1]);
    return isSame ? value : Object.fromEntries(masked);
  }

  private text(text: string): string {
    if (text.length < MIN_LENGTH) return text;
    const masked = this.search.replaceIn(text);
    return this.labelInLayers(masked) ?? masked;
  }

  /** What clients decode stays decodable. */
  private bytes(text: string): string {
    const label = this.labelIn(text);
    return label === null ? text : Buffer.from(label).toString('base64');
  }

  private number(value: number): number | string {
    const written = String(value);
    return this.numeric.some((text) => written.includes(text)) ? this.text(written) : value;
  }

  private labelIn(text: string): string | null {
    return this.search.firstIn(text) ?? this.labelInLayers(text);
  }

  /** Looks through encodings on top of each other. */
  private labelInLayers(text: string): string | null {
    const seen = new Set<string>();
    const look = (layer: string): string | null => {
      if (layer.length < MIN_LENGTH || seen.has(layer)) return null;
      seen.add(layer);
      return this.search.firstIn(layer) ?? (HEX_RUN.test(layer) ? this.search.firstIn(layer.toLowerCase()) : null);
    };
    const once = plainText(text);
    // White space may be within base64, as in mail, or tell where it begins.
    const inBase64 = decodedBase64(text) + (once === text ? '' : `\n${decodedBase64(once)}`);
    const inInner = decodedBase64(plainText(inBase64));
    for (const layer of [text, once, inBase64, inInner]) {
      const label = look(layer) ?? look(layer.replace(/\s+/g, '')) ?? look(plainText(layer));
      if (label !== null) return label;
    }
    return null;
  }
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

import { type Turns } from '@haldir/kernel';
import { PrefixHashes } from './prefix-hashes.js';

/** A text to look for, at least eight code units long. */
export interface SearchPattern {
  text: string;
  /** Characters before and after it that hold a part of what it stands for, too. */
  before: 0 | 1;
  after: 0 | 1;
  /** What takes its place. */
  label: string;
}

/** What is found at a place: all patterns that begin there, as one. */
interface PatternMatch {
  /** Characters of them before the place. */
  before: 0 | 1;
  /** Characters of them from the place on. */
  reach: number;
  /** Of the longest. */
  label: string;
}

/** The first units of patterns. */
interface Head {
  /** Of its patterns, how long the longest is. */
  longest: number;
  /** Its pattern, where it is the only one. */
  only: { hash: number; found: PatternMatch } | null;
}

/** A beginning of patterns. */
interface Beginning {
  /** The pattern that is no longer than it. */
  own: PatternMatch | null;
  /** With all patterns that it begins with itself; undefined before `settle`. */
  all: PatternMatch | null | undefined;
}

interface Span {
  start: number;
  end: number;
  label: string;
}

const START = 4;
const HEAD = 8;
/** Of starts; a bit each. */
const BUCKETS = 65_536;
/** Places that are looked at in one go. */
const CHUNK = 16_384;
/** Places between two looks at the clock. */
const GLANCE = 512;
/** What a beginning, a head and the rest take, in bytes, about. */
const [BEGINNING_SIZE, HEAD_SIZE, FIXED_SIZE] = [128, 64, 16_384];

/**
 * Looks for many texts in one pass, in time that grows with the text and neither with what is looked for nor with how much of it a
 * text nearly holds. Whether one can begin at a place is told by four code units, then by a hash of eight. Which is the longest that
 * does is found by halving, by hashes of what stands there, 51 bits of them: of each pattern those beginnings are kept whose lengths
 * are the first few digits of its own length, in binary; so a step for each digit leads to the longest, and each beginning knows the
 * patterns within it.
 */
export class MultiPatternSearch {
  /** What was done so far: places looked at, hashes compared, units hashed. */
  steps = 0;
  private readonly starts = new Uint8Array(BUCKETS / 8);
  /** By hash. */
  private readonly heads = new Map<number, Head>();
  /** By length, by hash. */
  private readonly beginnings = new Map<number, Map<number, Beginning>>();
  private count = 0;
  private longest = 0;

  /** What it takes to keep it, in bytes, about. */
  get size(): number {
    return FIXED_SIZE + this.heads.size * HEAD_SIZE + this.count * BEGINNING_SIZE;
  }

  add({ text, before, after, label }: SearchPattern): void {
    const { length } = text;
    if (length < HEAD) throw new Error('a pattern is too short');
    const bucket = bucketOf(text.charCodeAt(0), text.charCodeAt(1), text.charCodeAt(2), text.charCodeAt(3));
    this.starts[bucket >> 3] = (this.starts[bucket >> 3] ?? 0) | (1 << (bucket & 7));
    const hashes = PrefixHashes.of(text);
    const found: PatternMatch = { before, reach: length + after, label };
    const whole = hashes.between(0, length);
    const head = getOr(this.heads, hashes.between(0, HEAD), () => ({ longest: length, only: { hash: whole, found } }));
    if (head.only?.hash !== whole || head.longest !== length) head.only = null;
    head.longest = Math.max(length, head.longest);
    this.longest = Math.max(this.longest, length);
    for (const size of beginningsOf(length)) {
      const byHash = getOr(this.beginnings, size, () => new Map<number, Beginning>());
      const hash = hashes.between(0, size);
      let beginning = byHash.get(hash);
      if (!beginning) {
        byHash.set(hash, (beginning = { own: null, all: undefined }));
        this.count++;
      }
      if (size === length) beginning.own ??= found;
    }
  }

  /** To be told each pattern once more, when all were added. */
  settle({ text }: SearchPattern): void {
    if (this.heads.get(PrefixHashes.of(text.slice(0, HEAD)).between(0, HEAD))?.only) return;
    const hashes = PrefixHashes.of(text);
    for (const size of beginningsOf(text.length)) this.allIn(hashes, size);
  }

  /** The text with everything found in it replaced; the text itself when nothing is. */
  async replaceIn(text: string, turns: Turns): Promise<string> {
    const spans: Span[] = [];
    await this.eachIn(text, turns, ({ before, reach, label }, at) => {
      const span = { start: Math.max(0, at - before), end: Math.min(text.length, at + reach), label };
      const last = spans.at(-1);
      if (last && span.start < last.end) {
        last.start = Math.min(last.start, span.start);
        last.end = Math.max(last.end, span.end);
      } else spans.push(span);
      return true;
    });
    if (spans.length === 0) return text;
    const kept = spans.map(({ start, label }, i) => text.slice(spans[i - 1]?.end ?? 0, start) + label);
    return kept.join('') + text.slice(spans.at(-1)?.end);
  }

  /** The label of what is found first; null when nothing is. */
  async firstIn(text: string, turns: Turns): Promise<string | null> {
    let label: string | null = null;
    await this.eachIn(text, turns, (found) => {
      label = found.label;
      return false;
    });
    return label;
  }

  /** Tells `found` of each, by the place it begins at, until it answers false. */
  private async eachIn(text: string, turns: Turns, found: (what: PatternMatch, at: number) => boolean): Promise<void> {
    const chunk = Math.max(CHUNK, this.longest);
    for (let from = 0; from + HEAD <= text.length; from += chunk) {
      if (from > 0 && turns.isOver) await turns.next();
      if (!(await this.eachFrom(text, from, Math.min(from + chunk, text.length - HEAD + 1), turns, found))) return;
    }
  }

  /** The same for those that begin in [from, to); false when it was stopped. */
  private async eachFrom(
    text: string,
    from: number,
    to: number,
    turns: Turns,
    found: (what: PatternMatch, at: number) => boolean,
  ): Promise<boolean> {
    let hashes: PrefixHashes | null = null;
    let [one, two, three] = [text.charCodeAt(from), text.charCodeAt(from + 1), text.charCodeAt(from + 2)];
    this.steps += to - from;
    for (let at = from; at < to; at++) {
      if (at % GLANCE === 0 && turns.isOver) await turns.next();
      const four = text.charCodeAt(at + START - 1);
      const bucket = bucketOf(one, two, three, four);
      [one, two, three] = [two, three, four];
      if (((this.starts[bucket >> 3] ?? 0) & (1 << (bucket & 7))) === 0) continue;
      hashes ??= new PrefixHashes(Math.min(text.length, to + this.longest) - from);
      const start = at - from;
      this.steps += 1 + hashes.reach(text, from, start + HEAD);
      const head = this.heads.get(hashes.between(start, start + HEAD));
      if (!head) continue;
      const most = Math.min(head.longest, text.length - at);
      while (hashes.length < start + most) {
        if (turns.isOver) await turns.next();
        this.steps += hashes.reach(text, from, Math.min(start + most, hashes.length + CHUNK));
      }
      const what = head.only ? this.onlyIn(hashes, start, most, head) : this.longestIn(hashes, start, most);
      if (what && !found(what, at)) return false;
    }
    return true;
  }

  private onlyIn(hashes: PrefixHashes, start: number, most: number, { longest, only }: Head): PatternMatch | null {
    if (most < longest || !only) return null;
    this.steps++;
    return hashes.between(start, start + longest) === only.hash ? only.found : null;
  }

  /** The patterns that begin at a place of what was hashed, and are at most so long. */
  private longestIn(hashes: PrefixHashes, start: number, most: number): PatternMatch | null {
    let size = 0;
    let found: PatternMatch | null = null;
    for (let digit = highestDigit(most); digit > 0; digit = digit >> 1) {
      if (size + digit > most) continue;
      this.steps++;
      const beginning = this.beginnings.get(size + digit)?.get(hashes.between(start, start + size + digit));
      if (!beginning) continue;
      size += digit;
      found = beginning.all ?? null;
    }
    return found;
  }

  /** The patterns that a kept beginning of what was hashed begins with. */
  private allIn(hashes: PrefixHashes, size: number): PatternMatch | null {
    const beginning = this.beginnings.get(size)?.get(hashes.between(0, size));
    if (!beginning) return null;
    if (beginning.all !== undefined) return beginning.all;
    let shorter: PatternMatch | null = null;
    for (let digit = highestDigit(size - 1), length = 0; digit > 0; digit = digit >> 1) {
      if (length + digit >= size || !this.beginnings.get(length + digit)?.has(hashes.between(0, length + digit)))
        continue;
      length += digit;
      shorter = this.allIn(hashes, length);
    }
    return (beginning.all = together(shorter, beginning.own));
  }
}

function together(shorter: PatternMatch | null, longer: PatternMatch | null): PatternMatch | null {
  if (!shorter || !longer) return longer ?? shorter;
  return {
    before: shorter.before === 1 ? 1 : longer.before,
    reach: Math.max(shorter.reach, longer.reach),
    label: longer.label,
  };
}

/** The first digits of a number in binary, the rest zeros, one digit more each time: 13 is 8, 12, 13. */
function beginningsOf(length: number): number[] {
  const sizes: number[] = [];
  for (let digit = highestDigit(length), size = 0; digit > 0; digit = digit >> 1) {
    if ((length & digit) === 0) continue;
    size += digit;
    sizes.push(size);
  }
  return sizes;
}

function highestDigit(length: number): number {
  return length === 0 ? 0 : 2 ** (31 - Math.clz32(length));
}

function getOr<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function bucketOf(one: number, two: number, three: number, four: number): number {
  return (Math.imul(one ^ (two << 8) ^ (three << 16) ^ (four << 24), 0x9e3779b1) >>> 16) & (BUCKETS - 1);
}

import { randomInt } from 'node:crypto';
import { type Turns } from '@haldir/kernel';

/** A text to look for, at least four code units long. */
export interface Needle {
  text: string;
  /** Characters before and after it that hold a part of what it stands for, too. */
  before: 0 | 1;
  after: 0 | 1;
  /** What takes its place. */
  label: string;
}

/** What is kept of one: it is told by hashes. */
type Kept = Pick<Needle, 'before' | 'after' | 'label'> & { length: number };

interface Span {
  start: number;
  end: number;
  label: string;
}

/** Needles with the same first units and the same largest power of two that they are as long as. */
interface Group {
  window: number;
  /** By the hash of the first window, by length, by the hash of the last window; both cover all of a needle. */
  byHead: Map<number, Map<number, Map<number, Kept>>>;
}

const START_LENGTH = 4;
const BUCKETS = 8_192;
/** Places that are looked at in one go. */
const CHUNK = 16_384;

const [P, Q] = [67_108_859, 33_554_393];
/** Not to be known by those who write texts. */
const [BASE_P, BASE_Q] = [randomInt(65_537, P), randomInt(65_537, Q)];

/**
 * Looks for many texts in one pass, in time that grows with the text and not with what is looked for: whether one can begin at a
 * place is told by four code units, and whether it does by hashes of what stands there, 51 bits of them; no place is compared
 * unit by unit, so that a text that nearly holds a long one again and again costs no more than another.
 */
export class NeedleSearch {
  /** What was done so far: places looked at, hashes compared, units hashed. */
  steps = 0;
  /** The units of all needles. */
  size = 0;
  private readonly starts = new Uint8Array(BUCKETS);
  private readonly byStart = new Map<number, Group[]>();
  private longest = 0;

  add({ text, before, after, label }: Needle): void {
    const { length } = text;
    if (length < START_LENGTH) throw new Error('a needle is too short');
    const bucket = bucketOf(text.charCodeAt(0), text.charCodeAt(1), text.charCodeAt(2), text.charCodeAt(3));
    this.starts[bucket] = 1;
    const groups = getOr(this.byStart, bucket, () => []);
    const window = 2 ** Math.floor(Math.log2(length));
    let group = groups.find((each) => each.window === window);
    if (!group) groups.push((group = { window, byHead: new Map() }));
    hashes.over(text, 0, length);
    const byLength = getOr(group.byHead, hashes.of(0, window), () => new Map<number, Map<number, Kept>>());
    const byTail = getOr(byLength, length, () => new Map<number, Kept>());
    const tail = hashes.of(length - window, length);
    if (byTail.has(tail)) return;
    byTail.set(tail, { length, before, after, label });
    this.longest = Math.max(this.longest, length);
    this.size += length;
  }

  /** The text with everything found in it replaced; the text itself when nothing is. */
  async replaceIn(text: string, turns: Turns): Promise<string> {
    const spans: Span[] = [];
    await this.eachIn(text, turns, ({ before, after, length, label }, at) => {
      const span = { start: Math.max(0, at - before), end: Math.min(text.length, at + length + after), label };
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
    await this.eachIn(text, turns, (needle) => {
      label = needle.label;
      return false;
    });
    return label;
  }

  /** Tells `found` of each, by the place it begins at, until it answers false. */
  private async eachIn(text: string, turns: Turns, found: (needle: Kept, at: number) => boolean): Promise<void> {
    const chunk = Math.max(CHUNK, this.longest);
    for (let from = 0; from + START_LENGTH <= text.length; from += chunk) {
      if (from > 0 && turns.isOver) await turns.next();
      if (!this.eachFrom(text, from, Math.min(from + chunk, text.length), found)) return;
    }
  }

  /** The same for those that begin in [from, to); false when it was stopped. */
  private eachFrom(text: string, from: number, to: number, found: (needle: Kept, at: number) => boolean): boolean {
    let isHashed = false;
    let [one, two, three] = [text.charCodeAt(from), text.charCodeAt(from + 1), text.charCodeAt(from + 2)];
    const last = Math.min(to + START_LENGTH - 1, text.length);
    this.steps += last - from;
    for (let next = from + START_LENGTH - 1; next < last; next++) {
      const four = text.charCodeAt(next);
      const bucket = bucketOf(one, two, three, four);
      if (this.starts[bucket] === 1) {
        if (!isHashed) hashes.over(text, from, Math.min(text.length, to + this.longest));
        isHashed = true;
        if (!this.eachAt(bucket, next - START_LENGTH + 1, from, text.length, found)) return false;
      }
      [one, two, three] = [two, three, four];
    }
    if (isHashed) this.steps += to - from + this.longest;
    return true;
  }

  private eachAt(
    bucket: number,
    at: number,
    origin: number,
    end: number,
    found: (needle: Kept, at: number) => boolean,
  ): boolean {
    const start = at - origin;
    for (const { window, byHead } of this.byStart.get(bucket) ?? []) {
      this.steps++;
      const byLength = at + window <= end ? byHead.get(hashes.of(start, start + window)) : undefined;
      if (!byLength) continue;
      for (const [length, byTail] of byLength) {
        this.steps++;
        const needle = at + length <= end ? byTail.get(hashes.of(start + length - window, start + length)) : null;
        if (needle && !found(needle, at)) return false;
      }
    }
    return true;
  }
}

/** Hashes of any part of a stretch of text, each in the same time, once the stretch was gone over. */
class Hashes {
  private p = new Float64Array(1);
  private q = new Float64Array(1);
  private readonly powers = { p: new Float64Array(1).fill(1), q: new Float64Array(1).fill(1) };

  over(text: string, from: number, to: number): void {
    const length = to - from;
    if (this.p.length <= length) this.grow(length + 1);
    const { p, q } = this;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(from + i) + 1;
      p[i + 1] = ((p[i] ?? 0) * BASE_P + unit) % P;
      q[i + 1] = ((q[i] ?? 0) * BASE_Q + unit) % Q;
    }
  }

  /** Of [start, end) within the stretch. */
  of(start: number, end: number): number {
    const { p, q, powers } = this;
    const one = ((p[end] ?? 0) - (((p[start] ?? 0) * (powers.p[end - start] ?? 0)) % P) + P) % P;
    const other = ((q[end] ?? 0) - (((q[start] ?? 0) * (powers.q[end - start] ?? 0)) % Q) + Q) % Q;
    return one * Q + other;
  }

  private grow(length: number): void {
    const size = Math.max(2 * this.p.length, length);
    [this.p, this.q] = [new Float64Array(size), new Float64Array(size)];
    const [p, q] = [new Float64Array(size).fill(1), new Float64Array(size).fill(1)];
    for (let i = 1; i < size; i++) {
      p[i] = ((p[i - 1] ?? 0) * BASE_P) % P;
      q[i] = ((q[i - 1] ?? 0) * BASE_Q) % Q;
    }
    Object.assign(this.powers, { p, q });
  }
}

/** One for all: what is gone over is asked about before anything else is. */
const hashes = new Hashes();

function getOr<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function bucketOf(one: number, two: number, three: number, four: number): number {
  return (one ^ (two << 3) ^ (three << 6) ^ (four << 9)) & (BUCKETS - 1);
}

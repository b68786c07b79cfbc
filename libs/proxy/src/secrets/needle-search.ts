/** A text to look for, at least four code units long. */
export interface Needle {
  text: string;
  /** Characters before and after it that hold a part of what it stands for, too. */
  before: 0 | 1;
  after: 0 | 1;
  /** What takes its place. */
  label: string;
}

interface Span {
  start: number;
  end: number;
  label: string;
}

const START_LENGTH = 4;
const BUCKETS = 8_192;

/** Looks for many texts in one pass: whether one can begin at a place is told by four code units, however many there are. */
export class NeedleSearch {
  private readonly starts = new Uint8Array(BUCKETS);
  private readonly byStart = new Map<number, Needle[]>();

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      if (needle.text.length < START_LENGTH) throw new Error('a needle is too short');
      const { text } = needle;
      const bucket = bucketOf(text.charCodeAt(0), text.charCodeAt(1), text.charCodeAt(2), text.charCodeAt(3));
      this.starts[bucket] = 1;
      this.byStart.set(bucket, [...(this.byStart.get(bucket) ?? []), needle]);
    }
  }

  /** The text with everything found in it replaced; the text itself when nothing is. */
  replaceIn(text: string): string {
    const spans: Span[] = [];
    this.eachIn(text, ({ before, after, text: found, label }, at) => {
      const span = { start: Math.max(0, at - before), end: Math.min(text.length, at + found.length + after), label };
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
  firstIn(text: string): string | null {
    let label: string | null = null;
    this.eachIn(text, (needle) => {
      label = needle.label;
      return false;
    });
    return label;
  }

  /** Tells `found` of each, by the place it begins at, until it answers false. */
  private eachIn(text: string, found: (needle: Needle, at: number) => boolean): void {
    let [one, two, three] = [text.charCodeAt(0), text.charCodeAt(1), text.charCodeAt(2)];
    for (let next = START_LENGTH - 1; next < text.length; next++) {
      const four = text.charCodeAt(next);
      const bucket = bucketOf(one, two, three, four);
      if (this.starts[bucket] === 1) {
        const at = next - START_LENGTH + 1;
        for (const needle of this.byStart.get(bucket) ?? [])
          if (text.startsWith(needle.text, at) && !found(needle, at)) return;
      }
      [one, two, three] = [two, three, four];
    }
  }
}

function bucketOf(one: number, two: number, three: number, four: number): number {
  return (one ^ (two << 3) ^ (three << 6) ^ (four << 9)) & (BUCKETS - 1);
}

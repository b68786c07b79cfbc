import { randomInt } from 'node:crypto';

const P = 67_108_859;
const Q = 33_554_393;
const [P_INVERSE, Q_INVERSE] = [1 / P, 1 / Q];
/** Not to be known by those who write texts. */
const [BASE_P, BASE_Q] = [randomInt(65_537, P), randomInt(65_537, Q)];

/** Of the bases, as far as they were needed. */
const powers = { p: new Float64Array(1).fill(1), q: new Float64Array(1).fill(1), length: 1 };

/** Hashes of any part of a stretch of text, each in the same time, as far as the stretch was gone over. */
export class PrefixHashes {
  /** Units that were gone over. */
  length = 0;
  private readonly p: Float64Array;
  private readonly q: Float64Array;

  /** @param most units of the stretch */
  constructor(most: number) {
    this.p = new Float64Array(most + 1);
    this.q = new Float64Array(most + 1);
    knowPowers(most + 1);
  }

  /** Of a whole text. */
  static of(text: string): PrefixHashes {
    const hashes = new PrefixHashes(text.length);
    hashes.reach(text, 0, text.length);
    return hashes;
  }

  /** Goes over the stretch, which begins at `from`, up to its unit `end`; answers how many units that took. */
  reach(text: string, from: number, end: number): number {
    const { p, q, length } = this;
    for (let i = length; i < end; i++) {
      const unit = text.charCodeAt(from + i) + 1;
      p[i + 1] = rest((p[i] ?? 0) * BASE_P + unit, P);
      q[i + 1] = rest((q[i] ?? 0) * BASE_Q + unit, Q);
    }
    this.length = Math.max(length, end);
    return this.length - length;
  }

  /** Of [start, end) within the stretch, 51 bits. */
  between(start: number, end: number): number {
    const { p, q } = this;
    const size = end - start;
    const one = (p[end] ?? 0) - rest((p[start] ?? 0) * (powers.p[size] ?? 0), P);
    const other = (q[end] ?? 0) - rest((q[start] ?? 0) * (powers.q[size] ?? 0), Q);
    return (one < 0 ? one + P : one) * Q + (other < 0 ? other + Q : other);
  }
}

/** `value % modulus` of what is below 2^53, without the slow way that `%` goes there: the quotient is off by one at most. */
function rest(value: number, modulus: typeof P | typeof Q): number {
  const left = value - Math.floor(value * (modulus === P ? P_INVERSE : Q_INVERSE)) * modulus;
  return left < 0 ? left + modulus : left >= modulus ? left - modulus : left;
}

function knowPowers(length: number): void {
  if (powers.length >= length) return;
  const size = Math.max(2 * powers.length, length);
  const [p, q] = [new Float64Array(size), new Float64Array(size)];
  p.set(powers.p);
  q.set(powers.q);
  for (let i = powers.length; i < size; i++) {
    p[i] = rest((p[i - 1] ?? 0) * BASE_P, P);
    q[i] = rest((q[i - 1] ?? 0) * BASE_Q, Q);
  }
  Object.assign(powers, { p, q, length: size });
}

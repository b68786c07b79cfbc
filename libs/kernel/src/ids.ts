import { randomFillSync } from 'node:crypto';

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
const pool = Buffer.alloc(16_384);
let used = pool.length;

/** `length` characters of five random bits each, from a pool refilled by the operating system's generator. */
function randomCharacters(length: number): string {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let text = '';
  for (let i = 0; i < length; i++) text += CROCKFORD[(pool[used + i] ?? 0) & 31];
  pool.fill(0, used, used + length);
  used += length;
  return text;
}

/** Ten characters of the millisecond since 1970: ids made later sort later, so indexes stay warm. */
function timeCharacters(milliseconds: number): string {
  let rest = milliseconds;
  let text = '';
  for (let i = 0; i < 10; i++) {
    text = (CROCKFORD[rest % 32] ?? '0') + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/**
 * A time-ordered id in the manner of ULID (lower case): `prefix_` + 10 characters of time + random ones.
 *
 * @param randomLength random characters of 5 bits each; 16 (80 bits) name a thing, 26 (130 bits) are a credential
 */
export function newId(prefix: string, randomLength = 16): string {
  return `${prefix}_${timeCharacters(Date.now())}${randomCharacters(randomLength)}`;
}

/** Sorts before every id of that prefix that was made from `at` on, and behind every earlier one. */
export function firstIdAt(prefix: string, at: Date): string {
  return `${prefix}_${timeCharacters(at.getTime())}`;
}

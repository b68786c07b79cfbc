import fc from 'fast-check';
import { JITTER, MAX_ATTEMPTS, nextAttempt, parseRetryAfter } from './retry-schedule.js';

const HOUR_MS = 3_600_000;
const start = new Date('2026-01-01T00:00:00Z');
/** 75 h 35 min 5 s. */
const WHOLE_MS = 75 * HOUR_MS + 35 * 60_000 + 5000;

/** The times of all attempts at an endpoint that fails each of them, from the first one on, in milliseconds. */
function attempts(random: () => number, retryAfterMs: number | null = null): number[] {
  const times: number[] = [];
  let now: Date | null = start;
  for (let left = MAX_ATTEMPTS; now !== null; left--) {
    if (times.length > 20) throw new Error('there is no end to it');
    times.push(now.getTime() - start.getTime());
    now = nextAttempt(now, left - 1, retryAfterMs, random());
  }
  return times;
}

it('makes ten attempts, the last one 75:35:05 after the first', () => {
  const times = attempts(() => 0.5);

  expect(times).toHaveLength(10);
  expect(times[1]).toBe(5000);
  expect(times[2]).toBe(305_000);
  expect(times.at(-1)).toBe(WHOLE_MS);
});

it('differs from that by a tenth at most, and does differ', () => {
  expect(attempts(() => 0).at(-1)).toBeCloseTo(WHOLE_MS * (1 - JITTER), 0);
  expect(attempts(() => 1).at(-1)).toBeCloseTo(WHOLE_MS * (1 + JITTER), 0);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 10, maxLength: 10 }), (draws) => {
      const last = attempts(() => draws.shift() ?? 0.5).at(-1) ?? 0;
      expect(Math.abs(last - WHOLE_MS)).toBeLessThanOrEqual(WHOLE_MS * JITTER + 1);
    }),
  );
});

it('waits as long as the endpoint asks, a day at most, and never less than the schedule', () => {
  const wait = (attemptsLeft: number, retryAfterMs: number): number =>
    (nextAttempt(start, attemptsLeft, retryAfterMs, 0.5)?.getTime() ?? 0) - start.getTime();

  expect(wait(9, 90_000)).toBe(90_000);
  expect(wait(9, 1000)).toBe(5000);
  expect(wait(9, 1e12)).toBe(24 * HOUR_MS);
  expect(wait(1, 90_000)).toBe(24 * HOUR_MS);
  expect(attempts(() => 0.5, HOUR_MS)).toHaveLength(10);
});

it('gives a delivery that was sent again on demand no further attempt', () => {
  expect(nextAttempt(start, 0, null, 0.5)).toBeNull();
  expect(nextAttempt(start, -1, 90_000, 0.5)).toBeNull();
});

it.each([
  ['120', 120_000],
  ['0', 0],
  ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
  ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  [['30', '60'], 30_000],
  ['-5', null],
  ['1.5', null],
  ['1e3', null],
  ['soon', null],
  ['2026-01-01', null],
  ['Thu, nonsense', null],
  ['', null],
  ['9'.repeat(30), null],
  [undefined, null],
])('reads Retry-After %j', (header, expected) => {
  expect(parseRetryAfter(header, start)).toBe(expected);
});

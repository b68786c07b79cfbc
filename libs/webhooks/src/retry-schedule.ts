const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits after the first, second, … failed attempt: the schedule that Standard Webhooks gives as its example. */
const WAITS_MS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/** Attempts of one delivery; the last one ends 75 h 35 min 5 s after the first, give or take the jitter. */
export const MAX_ATTEMPTS = WAITS_MS.length + 1;

/** Waits differ by up to a tenth, so that what failed together does not come back together. */
export const JITTER = 0.1;

const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/**
 * When to try again, or null after the last attempt.
 *
 * @param attemptsLeft of the schedule, after the one that failed
 * @param retryAfterMs what the endpoint asked for; it is waited for, up to a day
 * @param random from 0 to 1
 */
export function nextAttempt(now: Date, attemptsLeft: number, retryAfterMs: number | null, random: number): Date | null {
  if (attemptsLeft <= 0) return null;
  const step = Math.max(0, WAITS_MS.length - attemptsLeft);
  const wait = (WAITS_MS[step] ?? 0) * (1 + JITTER * (2 * random - 1));
  return new Date(now.getTime() + Math.max(wait, Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)));
}

/** Milliseconds that a `Retry-After` header asks for, in seconds or as an HTTP date; null when it says neither. */
export function parseRetryAfter(header: string | string[] | undefined, now: Date): number | null {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND;
  const at = /^[A-Za-z]{3}, /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

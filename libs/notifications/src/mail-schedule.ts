const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Waits after the first, second, … attempt that was put off: most requests wait for an hour. */
const WAITS_MS = [10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 45 * MINUTE, 120 * MINUTE];

/** When to try again after so many attempts, or null: not any more. */
export function nextMailAttempt(attempts: number, now: Date): Date | null {
  const wait = WAITS_MS[attempts - 1];
  return wait === undefined ? null : new Date(now.getTime() + wait);
}

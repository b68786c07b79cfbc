import { type RateLimit } from './policy.js';
import { type FullRates } from './policy-refusal.js';

/**
 * One agent's request to make a call under some limits, of which every one must hold. Those of policies in `log_only` stop nothing:
 * each counts, for itself, the calls that it would have let through of those that are.
 */
export interface RateRequest {
  tenantId: string;
  agentId: string;
  limits: readonly RateLimit[];
  logOnly: readonly RateLimit[];
}

/** Which limits have no room for a call; it may be made, and was counted, when none of `full` does. */
export interface RateAnswer {
  full: FullRates;
  logOnly: FullRates;
  /** When it was decided, by the clock that the windows go by; null without limits. */
  at: Date | null;
}

/** When an agent's calls of the last minute were let through: times in ms, with the number of calls up to each. */
export interface RateWindow {
  times: number[];
  counts: number[];
}

export const WINDOW_MS = 60_000;
/** Up to so many calls a minute, each is remembered to the millisecond. */
const EXACT_LIMIT = 600;
/** Beyond that, those of a tenth of a second together, by the last of them. */
const GRAIN_MS = 100;

function grainOf({ maxPerMinute }: RateLimit): number {
  return maxPerMinute <= EXACT_LIMIT ? 1 : GRAIN_MS;
}

/** Calls in the minute that ends now. Times ahead of our clock, from a process whose clock is, count too. */
function countedIn({ times, counts }: RateWindow, now: number): number {
  return counts.reduce((sum, count, i) => ((times[i] ?? 0) > now - WINDOW_MS ? sum + count : sum), 0);
}

/** Counts a call, and forgets what has left the window. */
function addTo(window: RateWindow, limit: RateLimit, now: number): void {
  const { times, counts } = window;
  const grain = Math.floor(now / grainOf(limit));
  let kept = 0;
  let isCounted = false;
  for (let i = 0; i < times.length; i++) {
    const at = times[i] ?? 0;
    if (at <= now - WINDOW_MS) continue;
    const isSame: boolean = !isCounted && Math.floor(at / grainOf(limit)) === grain;
    isCounted ||= isSame;
    times[kept] = isSame ? Math.max(at, now) : at;
    counts[kept++] = (counts[i] ?? 0) + (isSame ? 1 : 0);
  }
  times.length = kept;
  counts.length = kept;
  if (isCounted) return;
  times.push(now);
  counts.push(1);
}

/** When a full window has a place again, if no other call takes it: within the window's minute. Null for a limit of nothing. */
function freeAt({ times, counts }: RateWindow, limit: RateLimit, now: number): Date | null {
  if (limit.maxPerMinute === 0) return null;
  let excess = countedIn({ times, counts }, now) - limit.maxPerMinute + 1;
  const inWindow = times
    .map((time, i): [number, number] => [time, counts[i] ?? 0])
    .filter(([time]) => time > now - WINDOW_MS)
    .sort(([one], [other]) => one - other);
  for (const [time, count] of inWindow) {
    excess -= count;
    if (excess <= 0) return new Date(Math.min(time, now) + WINDOW_MS);
  }
  return new Date(now);
}

/** The window of a limit; undefined for one that limits nothing any more. */
export type WindowOf<Window extends RateWindow> = (limit: RateLimit) => Window | undefined;

/** What the limits of a request say at a time. */
export function answerTo(windowOf: WindowOf<RateWindow>, { limits, logOnly }: RateRequest, at: Date): RateAnswer {
  const fullOf = (wanted: readonly RateLimit[]): FullRates =>
    new Map(
      wanted.flatMap((limit): [string, Date | null][] => {
        const window = windowOf(limit);
        return window && isFull(window, limit, at) ? [[limit.policyId, freeAt(window, limit, at.getTime())]] : [];
      }),
    );
  return { full: fullOf(limits), logOnly: fullOf(logOnly), at };
}

/** Counts a call that is let through; answers the windows that it counts in: not those of `log_only` policies that have no room. */
export function countCall<Window extends RateWindow>(
  windowOf: WindowOf<Window>,
  { limits, logOnly }: RateRequest,
  at: Date,
): Window[] {
  const counted: Window[] = [];
  const count = (limit: RateLimit, window: Window): void => {
    addTo(window, limit, at.getTime());
    counted.push(window);
  };
  for (const limit of limits) {
    const window = windowOf(limit);
    if (window) count(limit, window);
  }
  for (const limit of logOnly) {
    const window = windowOf(limit);
    if (window && !isFull(window, limit, at)) count(limit, window);
  }
  return counted;
}

export function isFull(window: RateWindow, limit: RateLimit, at: Date): boolean {
  return countedIn(window, at.getTime()) >= limit.maxPerMinute;
}

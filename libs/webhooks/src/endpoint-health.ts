const MINUTE_MS = 60_000;
const WINDOW_MINUTES = 5;
const CONSECUTIVE = 10;
const RATE = 0.7;
const RATE_FROM = 10;
const FIRST_PAUSE_SECONDS = 30;
const LONGEST_PAUSE_SECONDS = 600;
const FIRST_LANES = 4;

interface Minute {
  minute: number;
  failures: number;
  total: number;
}

/**
 * What a process has seen of one endpoint lately: how many deliveries it may carry at once, and whether its breaker
 * opens. The breaker opens after ten failures in a row, or when at least seven in ten of ten or more failed in five
 * minutes; each time a probe fails it stays open twice as long, up to ten minutes.
 */
export class EndpointHealth {
  /** Deliveries under way at once. Grows with each success and halves with each failure, so that a silent endpoint holds little. */
  lanes: number;
  private consecutive = 0;
  private readonly minutes: Minute[] = [];

  constructor(private readonly maxLanes: number) {
    this.lanes = Math.min(FIRST_LANES, maxLanes);
  }

  succeeded(now: Date): void {
    this.consecutive = 0;
    this.lanes = Math.min(this.maxLanes, this.lanes + 1);
    this.at(now).total++;
  }

  /** Answers whether the breaker should open now. */
  failed(now: Date): boolean {
    this.consecutive++;
    this.lanes = Math.max(1, this.lanes >> 1);
    const current = this.at(now);
    current.total++;
    current.failures++;
    if (this.consecutive >= CONSECUTIVE) return true;
    const total = this.minutes.reduce((sum, minute) => sum + minute.total, 0);
    const failures = this.minutes.reduce((sum, minute) => sum + minute.failures, 0);
    return total >= RATE_FROM && failures >= RATE * total;
  }

  /** Begins anew, after the breaker opened or closed. */
  reset(): void {
    this.consecutive = 0;
    this.minutes.length = 0;
  }

  private at(now: Date): Minute {
    const minute = Math.floor(now.getTime() / MINUTE_MS);
    while ((this.minutes[0]?.minute ?? Infinity) <= minute - WINDOW_MINUTES) this.minutes.shift();
    const last = this.minutes.at(-1);
    if (last?.minute === minute) return last;
    const fresh = { minute, failures: 0, total: 0 };
    this.minutes.push(fresh);
    return fresh;
  }
}

/** How long the breaker stays open, in seconds, when it was open for `before` the last time and no delivery succeeded since. */
export function breakerPause(before: number): number {
  return before === 0 ? FIRST_PAUSE_SECONDS : Math.min(LONGEST_PAUSE_SECONDS, before * 2);
}

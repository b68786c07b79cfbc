import { type Log } from '@haldir/runtime';

const QUIET_MS = 30_000;

/** Logs the failures of a store that is away: the first of each kind, then at most one in half a minute, with the number left out. */
export class OutageLog {
  private readonly seen = new Map<string, { until: number; suppressed: number }>();

  constructor(
    private readonly log: Log,
    private readonly event: string,
  ) {}

  report(error: unknown): void {
    const reason = reasonOf(error);
    const now = performance.now();
    const before = this.seen.get(reason);
    if (before && before.until > now) {
      before.suppressed++;
      return;
    }
    if (this.seen.size > 100) this.seen.clear();
    this.seen.set(reason, { until: now + QUIET_MS, suppressed: 0 });
    this.log.warn({ event: this.event, reason, suppressed: before?.suppressed ?? 0 });
  }
}

/** An error's code or message; of several addresses tried at once, the first one's. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown };
  // Job ids and addresses differ from line to line; the kind of failure does not.
  return typeof code === 'string' ? code : error.message.split(/[\n.:]/, 1)[0] || error.name;
}

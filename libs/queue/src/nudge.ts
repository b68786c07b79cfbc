import { type Queue } from 'bullmq';

/** Calls within this time share one job. */
const GATHER_MS = 10;

/**
 * Wakes the workers of a queue whose jobs carry nothing but the wish to look. Never waits and never fails: of any number
 * of calls at most one job waits, and when the store is away the queue's schedule makes up for it.
 */
export class Nudge {
  private wanted = false;
  private busy = false;

  constructor(private readonly queue: Queue) {}

  now(): void {
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    setTimeout(() => void this.send(), GATHER_MS);
  }

  private async send(): Promise<void> {
    this.wanted = false;
    try {
      await this.queue.add(
        this.queue.name,
        {},
        // A worker that is looking right now looks once more.
        { deduplication: { id: 'nudge', keepLastIfActive: true }, removeOnComplete: true, removeOnFail: true },
      );
    } catch {
      // The queue reports its own errors; the schedule looks soon.
    } finally {
      this.busy = false;
      if (this.wanted) this.now();
    }
  }
}

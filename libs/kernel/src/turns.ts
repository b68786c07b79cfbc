import { setImmediate as others } from 'node:timers/promises';

/** Long work in turns of a few milliseconds, between which everybody else has theirs. */
export class Turns {
  private since = performance.now();

  constructor(private readonly turnMs = 4) {}

  /** Whether this turn is over: `if (turns.isOver) await turns.next()`. */
  get isOver(): boolean {
    return performance.now() - this.since >= this.turnMs;
  }

  async next(): Promise<void> {
    await others();
    this.since = performance.now();
  }
}

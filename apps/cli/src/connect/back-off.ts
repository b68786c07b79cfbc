import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait before something is tried again: longer each time, and not all at the same moment. */
export class BackOff {
  private tries = 0;

  /** @param random from 0 to 1 */
  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** The next wait: between half and all of what it has grown to. */
  next(): number {
    const full = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(this.tries++, 30));
    return full * (0.5 + this.random() / 2);
  }

  /** It has worked. */
  reset(): void {
    this.tries = 0;
  }
}

/** Waits so long, or until the signal. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

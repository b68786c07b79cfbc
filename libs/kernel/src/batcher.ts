import { Unavailable } from './haldir-error.js';

export interface BatcherOptions<In, Out> {
  /** Answers for `items`, in their order; an `Error` in a place rejects that item alone. */
  run: (items: In[]) => Promise<(Out | Error)[]>;
  /** Items in one batch at most. */
  maxBatch: number;
  /** Batches under way at once at most; 1 keeps arrival order between batches. */
  maxInFlight: number;
  /** Items waiting at most; one more is refused with `Unavailable`. */
  maxQueued: number;
  /** Whether a failed batch may be split and its halves tried again, so that one bad item fails alone. */
  splitOn?: (error: unknown) => boolean;
}

interface Waiting<In, Out> {
  item: In;
  resolve: (value: Out) => void;
  reject: (error: unknown) => void;
}

/**
 * Turns calls that arrive together into one: all that wait when a place is free go in one batch, with no artificial
 * delay. Reads use it to become one `= ANY($1)` query, writes to share one commit.
 */
export class Batcher<In, Out> {
  private waiting: Waiting<In, Out>[] = [];
  private inFlight = 0;
  private scheduled = false;

  constructor(private readonly options: BatcherOptions<In, Out>) {}

  /** Items that wait for a batch right now. */
  get depth(): number {
    return this.waiting.length;
  }

  /** @throws Unavailable when too many items wait already */
  submit(item: In): Promise<Out> {
    if (this.waiting.length >= this.options.maxQueued) return Promise.reject(new Unavailable());
    return new Promise<Out>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight >= this.options.maxInFlight) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    while (this.waiting.length > 0 && this.inFlight < this.options.maxInFlight) {
      const batch = this.waiting.splice(0, this.options.maxBatch);
      this.inFlight++;
      void this.settle(batch).finally(() => {
        this.inFlight--;
        if (this.waiting.length > 0) this.schedule();
      });
    }
  }

  private async settle(batch: Waiting<In, Out>[]): Promise<void> {
    try {
      const answers = await this.options.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, i) => {
        const answer = answers[i];
        if (answer instanceof Error) reject(answer);
        else resolve(answer as Out);
      });
    } catch (error) {
      if (batch.length > 1 && this.options.splitOn?.(error)) {
        const middle = batch.length >> 1;
        await this.settle(batch.slice(0, middle));
        await this.settle(batch.slice(middle));
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }
}

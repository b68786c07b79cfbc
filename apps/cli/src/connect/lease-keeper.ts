import { VERSION } from '@haldir/kernel';
import { BackOff, pause } from './back-off.js';
import { type ConnectorApi, Unavailable } from './connector-api.js';
import { type Lease } from './wire.js';

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 10_000;

/** Keeps the lease of one instance, by which Haldir knows that it is there. */
export class LeaseKeeper {
  private taking: Promise<Lease> | null = null;
  /** Whether Haldir was there when it was asked last; null before. */
  private isThere: boolean | null = null;

  constructor(
    private readonly api: ConnectorApi,
    private readonly perSession: boolean,
    private readonly say: (words: string) => void,
    private readonly signal: AbortSignal,
  ) {}

  /** Takes the lease, or renews it, however long that takes; those who need it at once wait together. @throws Refused */
  take(): Promise<Lease> {
    this.taking ??= this.tryOn().finally(() => (this.taking = null));
    return this.taking;
  }

  /** Renews it in time, until the signal. @throws Refused */
  async keep(first: Lease): Promise<void> {
    let { heartbeatSeconds } = first;
    for (;;) {
      await pause(heartbeatSeconds * 1000, this.signal);
      if (this.signal.aborted) return;
      ({ heartbeatSeconds } = await this.take());
    }
  }

  /** Says once that Haldir is gone, and once that it is back. */
  noteReached(isThere: boolean, why: string): void {
    if (this.signal.aborted || this.isThere === isThere) return;
    this.isThere = isThere;
    this.say(isThere ? `connected to ${this.api.haldir.origin}` : `${why}; trying again`);
  }

  private async tryOn(): Promise<Lease> {
    const backOff = new BackOff(FIRST_WAIT_MS, MAX_WAIT_MS);
    let isSaid = false;
    for (;;) {
      this.signal.throwIfAborted();
      try {
        const lease = await this.api.lease(this.perSession, VERSION, this.signal);
        this.noteReached(true, '');
        return lease;
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        if (!error.isThere) this.noteReached(false, error.message);
        else if (!isSaid && !this.signal.aborted) {
          isSaid = true;
          this.say(`${error.message}; trying again`);
        }
        await pause(error.retryAfterMs ?? backOff.next(), this.signal);
      }
    }
  }
}

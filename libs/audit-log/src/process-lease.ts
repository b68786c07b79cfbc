import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { newId } from '@haldir/kernel';
import { Log } from '@haldir/runtime';
import { ProcessLeaseRepository } from './process-lease.repository.js';

const LEASE_SECONDS = 15;
const RENEW_EVERY_MS = 3_000;
/** A lease that was renewed longer ago may end before what is done under it is done. */
const STALE_MS = (LEASE_SECONDS * 1000) / 2;

/**
 * That this process is alive, by the clock of the database: what it has started is its own to write down while its lease lasts.
 * A process that starts nothing has no lease.
 */
@Injectable()
export class ProcessLease implements OnApplicationShutdown {
  readonly processId = newId('prc');
  private renewedAt = -Infinity;
  private renewing: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isNeeded: () => boolean = () => false;

  constructor(
    private readonly leases: ProcessLeaseRepository,
    private readonly log: Log,
  ) {}

  /** Keeps the lease for as long as `isNeeded`. */
  keepWhile(isNeeded: () => boolean): void {
    this.isNeeded = isNeeded;
  }

  /** Waits only for a lease that is not there, or may end soon. @throws Unavailable */
  async hold(): Promise<void> {
    const age = performance.now() - this.renewedAt;
    if (age > STALE_MS) return this.renew();
    if (age > RENEW_EVERY_MS) this.renewInBackground();
  }

  /** @throws Unavailable */
  renew(): Promise<void> {
    this.timer ??= setInterval(() => {
      if (this.isNeeded()) this.renewInBackground();
    }, RENEW_EVERY_MS).unref();
    const startedAt = performance.now();
    return (this.renewing ??= this.leases
      .renew(this.processId, LEASE_SECONDS)
      .then(() => {
        this.renewedAt = startedAt;
      })
      .finally(() => (this.renewing = null)));
  }

  /** Forgets processes whose leases ended longer ago than `seconds`, once nothing stands under them. */
  forgetOthers(seconds: number): Promise<void> {
    return this.leases.forget(seconds);
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.timer) return;
    clearInterval(this.timer);
    if (!this.isNeeded()) await this.leases.leave(this.processId).catch(() => undefined);
  }

  private renewInBackground(): void {
    this.renew().catch((error: unknown) => {
      this.log.warn({ event: 'process.lease_not_renewed', reason: (error as Error).message });
    });
  }
}

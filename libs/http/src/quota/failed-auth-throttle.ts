import { Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { Clock } from '@haldir/kernel';
import { Unauthenticated } from '../auth/authenticator.js';
import { QuotaExceeded } from './quota.js';

const PER_MINUTE = 1200;
const MINUTE_MS = 60_000;

/**
 * Slows down whoever sprays keys: failed authentications are counted per client address and process, never per key,
 * so that nobody can lock another customer out.
 */
@Injectable()
export class FailedAuthThrottle {
  constructor(
    private readonly storage: ThrottlerStorage,
    private readonly clock: Clock,
  ) {}

  /**
   * Does what fails with `Unauthenticated` where a credential is missing or wrong.
   *
   * @throws QuotaExceeded in its place from the 1,201st failure of an address in a minute on
   */
  async during<T>(address: string, authenticate: () => Promise<T>): Promise<T> {
    try {
      return await authenticate();
    } catch (error) {
      if (error instanceof Unauthenticated) await this.count(address);
      throw error;
    }
  }

  private async count(address: string): Promise<void> {
    const { totalHits, timeToExpire } = await this.storage.increment(
      address,
      MINUTE_MS,
      PER_MINUTE,
      1000,
      'failed-auth',
    );
    if (totalHits <= PER_MINUTE) return;
    const resetAfter = Math.min(MINUTE_MS / 1000, Math.max(1, timeToExpire));
    throw new QuotaExceeded(
      {
        tier: 'anonymous',
        limit: PER_MINUTE,
        used: PER_MINUTE,
        windowSeconds: MINUTE_MS / 1000,
        resetAt: Math.floor(this.clock.now().getTime() / 1000) + resetAfter,
        resetAfter,
      },
      'Too many requests without a valid credential from this address',
    );
  }
}

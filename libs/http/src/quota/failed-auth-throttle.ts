import { Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { Clock } from '@haldir/kernel';
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
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws QuotaExceeded from the 1,201st failure of an address in a minute on */
  async count(address: string): Promise<void> {
    const { totalHits, timeToExpire } = await this.storage.increment(
      address,
      MINUTE_MS,
      PER_MINUTE,
      1000,
      'failed-auth',
    );
    if (totalHits <= PER_MINUTE) return;
    const resetAfter = Math.max(1, timeToExpire);
    throw new QuotaExceeded('anonymous', {
      limit: PER_MINUTE,
      used: PER_MINUTE,
      resetAt: Math.floor(this.clock.now().getTime() / 1000) + resetAfter,
      resetAfter,
    });
  }
}

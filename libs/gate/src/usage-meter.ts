import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Log } from '@haldir/runtime';
import { ApiKeyRepository } from './api-key.repository.js';
import { UsageMonthRepository } from './usage-month.repository.js';

const FLUSH_MS = 1000;

/**
 * Counts authenticated requests by tenant and month, and when keys were last used. Counts are kept in memory for a
 * second at most and then added with one statement, so that no request writes on its own behalf.
 */
@Injectable()
export class UsageMeter implements OnApplicationShutdown {
  private requests = new Map<string, number>();
  private used = new Map<string, { tenantId: string; publicId: string }>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly months: UsageMonthRepository,
    private readonly keys: ApiKeyRepository,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.timer.unref();
  }

  count(tenantId: string, publicId: string): void {
    const key = `${tenantId} ${monthOf(this.clock.now())}`;
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1);
    if (!this.used.has(publicId)) this.used.set(publicId, { tenantId, publicId });
  }

  /** @param month `YYYY-MM`, UTC */
  requestsIn(tenantId: string, month: string): Promise<number> {
    return this.months.requestsIn(tenantId, month);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private async flush(): Promise<void> {
    if (this.requests.size === 0) return;
    const requests = [...this.requests];
    const used = [...this.used.values()];
    this.requests = new Map();
    this.used = new Map();
    try {
      await this.months.add(
        requests.map(([key, count]) => {
          const [tenantId = '', month = ''] = key.split(' ');
          return { tenantId, month, requests: count };
        }),
      );
      await this.keys.markUsed(used, this.clock.now());
    } catch (error) {
      for (const [key, count] of requests) this.requests.set(key, (this.requests.get(key) ?? 0) + count);
      this.log.warn({ event: 'usage.flush_failed', reason: (error as Error).message });
    }
  }
}

/** `YYYY-MM` in UTC. */
export function monthOf(time: Date): string {
  return time.toISOString().slice(0, 7);
}

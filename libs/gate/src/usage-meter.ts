import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { Log } from '@haldir/runtime';

const FLUSH_MS = 1000;

const addRequests = {
  name: 'usage_month.add.v1',
  text: `INSERT INTO usage_month (tenant_id, month, requests)
           SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ORDER BY 1, 2
         ON CONFLICT (tenant_id, month) DO UPDATE SET requests = usage_month.requests + excluded.requests`,
};
const markUsed = {
  name: 'api_key.mark_used.v1',
  text: `UPDATE api_key k SET last_used_at = $3
           FROM unnest($1::text[], $2::text[]) AS u(tenant_id, public_id)
          WHERE k.tenant_id = u.tenant_id AND k.public_id = u.public_id
            AND (k.last_used_at IS NULL OR k.last_used_at < $3::timestamptz - interval '1 minute')`,
};
const readMonth = {
  name: 'usage_month.read.v1',
  text: 'SELECT requests FROM usage_month WHERE tenant_id = $1 AND month = $2',
};

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
    private readonly transactions: Transactions,
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
  async requestsIn(tenantId: string, month: string): Promise<number> {
    const [row] = await this.transactions.query<{ requests: string }>(readMonth, [tenantId, month]);
    return Number(row?.requests ?? 0);
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
      await this.transactions.query(addRequests, [
        requests.map(([key]) => key.split(' ')[0] ?? ''),
        requests.map(([key]) => key.split(' ')[1]),
        requests.map(([, count]) => count),
      ]);
      await this.transactions.query(markUsed, [
        used.map(({ tenantId }) => tenantId),
        used.map(({ publicId }) => publicId),
        this.clock.now(),
      ]);
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

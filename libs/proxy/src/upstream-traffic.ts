import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { Log } from '@haldir/runtime';

const FLUSH_MS = 1000;

/** Upstreams removed meanwhile are left out; the order keeps processes from locking each other out. */
const add = {
  name: 'proxy_traffic.add.v1',
  text: `WITH known AS MATERIALIZED (
           SELECT w.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::float8[]) AS w(tenant_id, upstream, calls, errors, latency_ms)
             JOIN proxy_upstream u ON u.tenant_id = w.tenant_id AND u.name = w.upstream
            ORDER BY 1, 2 FOR KEY SHARE OF u)
         INSERT INTO proxy_traffic (tenant_id, upstream, calls, errors, latency_ms) SELECT * FROM known
         ON CONFLICT (tenant_id, upstream) DO UPDATE
           SET calls = proxy_traffic.calls + excluded.calls, errors = proxy_traffic.errors + excluded.errors,
               latency_ms = proxy_traffic.latency_ms + excluded.latency_ms`,
};

interface Sums {
  tenantId: string;
  upstream: string;
  calls: number;
  errors: number;
  latencyMs: number;
}

/**
 * Sums over the calls to each upstream. They are kept in memory for a second at most and then added with one statement, so
 * that no call writes on its own behalf; a crash loses a second of statistics.
 */
@Injectable()
export class UpstreamTraffic implements OnApplicationShutdown {
  private sums = new Map<string, Sums>();
  private flushing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(Log) private readonly log: Log,
  ) {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.timer.unref();
  }

  /** @param failed whether the call ended without an answer of the tool */
  count(tenantId: string, upstream: string, latencyMs: number, failed: boolean): void {
    this.add({ tenantId, upstream, calls: 1, errors: failed ? 1 : 0, latencyMs });
  }

  /** Writes what this process has counted so far. */
  flush(): Promise<void> {
    this.flushing = this.flushing.then(() => this.write());
    return this.flushing;
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private add(more: Sums): void {
    const key = `${more.tenantId} ${more.upstream}`;
    const sums = this.sums.get(key);
    if (sums) {
      sums.calls += more.calls;
      sums.errors += more.errors;
      sums.latencyMs += more.latencyMs;
    } else {
      this.sums.set(key, more);
    }
  }

  private async write(): Promise<void> {
    if (this.sums.size === 0) return;
    const rows = [...this.sums.values()];
    this.sums = new Map();
    try {
      await this.transactions.query(add, [
        rows.map(({ tenantId }) => tenantId),
        rows.map(({ upstream }) => upstream),
        rows.map(({ calls }) => calls),
        rows.map(({ errors }) => errors),
        rows.map(({ latencyMs }) => latencyMs),
      ]);
    } catch (error) {
      for (const sums of rows) this.add(sums);
      this.log.warn({ event: 'proxy.traffic_flush_failed', reason: (error as Error).message });
    }
  }
}

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { Log } from '@haldir/runtime';

const FLUSH_MS = 1000;

/** Upstreams removed meanwhile are left out; the order keeps processes from locking each other out. */
const add = {
  name: 'proxy_traffic.add.v1',
  text: `WITH known AS MATERIALIZED (
           SELECT w.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::float8[])
             AS w(tenant_id, upstream, calls, errors, tool_errors, latency_ms)
             JOIN proxy_upstream u ON u.tenant_id = w.tenant_id AND u.name = w.upstream
            ORDER BY 1, 2 FOR KEY SHARE OF u)
         INSERT INTO proxy_traffic (tenant_id, upstream, calls, errors, tool_errors, latency_ms) SELECT * FROM known
         ON CONFLICT (tenant_id, upstream) DO UPDATE
           SET calls = proxy_traffic.calls + excluded.calls, errors = proxy_traffic.errors + excluded.errors,
               tool_errors = proxy_traffic.tool_errors + excluded.tool_errors,
               latency_ms = proxy_traffic.latency_ms + excluded.latency_ms`,
};

interface Sums {
  tenantId: string;
  upstream: string;
  calls: number;
  errors: number;
  toolErrors: number;
  latencyMs: number;
}

/** How a call ended: with an answer of the tool, with one that says `isError`, or without any. */
export type CallEnding = 'answered' | 'tool_error' | 'failed';

/**
 * Sums over the calls to each upstream. They are kept in memory for a second at most and then added with one statement, so
 * that no call writes on its own behalf; a crash loses a second of statistics.
 */
@Injectable()
export class UpstreamStatistics implements OnApplicationShutdown {
  private sums = new Map<string, Sums>();
  private flushing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly transactions: Transactions,
    private readonly log: Log,
  ) {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.timer.unref();
  }

  count(tenantId: string, upstream: string, latencyMs: number, ending: CallEnding): void {
    const [errors, toolErrors] = [ending === 'failed' ? 1 : 0, ending === 'tool_error' ? 1 : 0];
    this.add({ tenantId, upstream, calls: 1, errors, toolErrors, latencyMs });
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
      sums.toolErrors += more.toolErrors;
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
        rows.map(({ toolErrors }) => toolErrors),
        rows.map(({ latencyMs }) => latencyMs),
      ]);
    } catch (error) {
      for (const sums of rows) this.add(sums);
      this.log.warn({ event: 'proxy.traffic_flush_failed', reason: (error as Error).message });
    }
  }
}

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Log } from '@haldir/runtime';
import { type UpstreamTraffic } from './upstream-traffic.entity.js';
import { UpstreamTrafficRepository } from './upstream-traffic.repository.js';

const FLUSH_MS = 1000;

/** How a call ended: with an answer of the tool, with one that says `isError`, or without any. */
export type CallEnding = 'answered' | 'tool_error' | 'failed';

/**
 * Sums over the calls to each upstream. They are kept in memory for a second at most and then added with one statement, so
 * that no call writes on its own behalf; a crash loses a second of statistics.
 */
@Injectable()
export class UpstreamStatistics implements OnApplicationShutdown {
  private sums = new Map<string, UpstreamTraffic>();
  private flushing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly traffic: UpstreamTrafficRepository,
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

  private add(more: UpstreamTraffic): void {
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
      await this.traffic.add(rows);
    } catch (error) {
      for (const sums of rows) this.add(sums);
      this.log.warn({ event: 'proxy.traffic_flush_failed', reason: (error as Error).message });
    }
  }
}

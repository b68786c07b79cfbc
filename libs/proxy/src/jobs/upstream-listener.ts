import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, newId } from '@haldir/kernel';
import { Log } from '@haldir/runtime';
import { UpstreamHealthService } from '../registry/upstream-health.service.js';
import { ListChanges } from '../upstreams/list-changes.js';
import { ListenerLeaseRepository } from '../upstreams/listener-lease.repository.js';
import { type UpstreamAddress } from '../upstreams/upstream-address.js';
import { UpstreamConnections } from '../upstreams/upstream-connections.js';

const MAX_STREAMS = 200;
const LOOK_EVERY_MS = 1_000;
const RENEW_EVERY_MS = 3_000;
const LEASE_MS = 10_000;
/** Then a stream is opened anew, with headers as they are then. */
const STREAM_MS = 5 * 60_000;
/** An upstream that has no such stream is asked again after this, or when it is registered anew. */
const NO_STREAM_MS = 10 * 60_000;
/** After a stream that ended, doubled with each further one that was short. */
const AGAIN_FIRST_MS = 500;
const AGAIN_LAST_MS = 60_000;
const SHORT_MS = 30_000;

/**
 * Listens to upstreams that say when their lists change, so that they are checked then and not only on schedule. One worker
 * listens to each; what is missed between two streams is found on schedule.
 */
@Injectable()
export class UpstreamListener implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly id = newId('lst');
  private readonly streams = new Map<string, AbortController>();
  private readonly over = new AbortController();
  private looking: Promise<void> = Promise.resolve();
  private checking = false;

  constructor(
    private readonly leases: ListenerLeaseRepository,
    private readonly changes: ListChanges,
    private readonly connections: UpstreamConnections,
    private readonly health: UpstreamHealthService,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.changes.watch(() => void this.check());
    this.looking = this.look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    for (const stream of this.streams.values()) stream.abort();
    await this.looking;
    await this.leases
      .leaveAll(this.id, this.clock.now())
      .catch((error: unknown) =>
        this.log.warn({ event: 'proxy.listening_not_left', reason: (error as Error).message }),
      );
  }

  /** Takes what nobody listens to and keeps what this worker has, until the end. */
  private async look(): Promise<void> {
    let renewedAt = performance.now();
    while (!this.over.signal.aborted) {
      try {
        if (performance.now() - renewedAt >= RENEW_EVERY_MS) {
          renewedAt = performance.now();
          await this.renew();
        }
        const free = MAX_STREAMS - this.streams.size;
        const now = this.clock.now();
        const found = free === 0 ? [] : await this.leases.claim(this.id, now, this.inMs(LEASE_MS), free);
        for (const upstream of found) void this.listenTo(upstream);
      } catch (error) {
        this.log.warn({ event: 'proxy.listening_failed', reason: (error as Error).message });
      }
      await pause(LOOK_EVERY_MS, undefined, { signal: this.over.signal }).catch(() => undefined);
    }
  }

  /** Ends the streams to registrations that are over, or that another worker has by now. */
  private async renew(): Promise<void> {
    const before = [...this.streams];
    const kept = new Set((await this.leases.renew(this.id, this.inMs(LEASE_MS))).map(keyOf));
    for (const [key, stream] of before) if (!kept.has(key)) stream.abort();
  }

  private async listenTo(upstream: UpstreamAddress): Promise<void> {
    const key = keyOf(upstream);
    // One that this worker lost and has again.
    this.streams.get(key)?.abort();
    const stream = new AbortController();
    this.streams.set(key, stream);
    try {
      for (let short = 0; !stream.signal.aborted;) {
        const startedAt = performance.now();
        if (!(await this.hear(upstream, stream.signal))) {
          await this.leases.leave(upstream, this.id, this.inMs(NO_STREAM_MS));
          return;
        }
        short = performance.now() - startedAt < SHORT_MS ? short + 1 : 0;
        const ms = Math.min(AGAIN_FIRST_MS * 2 ** Math.min(short, 10), AGAIN_LAST_MS);
        await pause(ms, undefined, { signal: stream.signal }).catch(() => undefined);
      }
    } catch (error) {
      // Its lease runs out, or is left with the others.
      this.log.warn({ event: 'proxy.listening_failed', upstream: upstream.name, reason: (error as Error).message });
    } finally {
      if (this.streams.get(key) === stream) this.streams.delete(key);
    }
  }

  /** False when there is nothing to hear; a stream that could not be opened is one that ended. */
  private async hear(upstream: UpstreamAddress, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.connections.use(upstream, (client) => client.listen({ deadlineMs: STREAM_MS, signal }));
    } catch (error) {
      if (!signal.aborted)
        this.log.debug({ event: 'proxy.stream_ended', upstream: upstream.name, reason: (error as Error).message });
      return true;
    }
  }

  /** At once, not on schedule. */
  private async check(): Promise<void> {
    if (this.checking || this.over.signal.aborted) return;
    this.checking = true;
    try {
      await this.health.checkDue();
    } catch (error) {
      this.log.warn({ event: 'proxy.check_failed', reason: (error as Error).message });
    } finally {
      this.checking = false;
    }
  }

  private inMs(ms: number): Date {
    return new Date(this.clock.now().getTime() + ms);
  }
}

function keyOf({ tenantId, name, revision }: Pick<UpstreamAddress, 'tenantId' | 'name' | 'revision'>): string {
  return `${tenantId}/${name}/${revision}`;
}

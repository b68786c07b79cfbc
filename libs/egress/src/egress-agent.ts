import { type buildConnector, type Dispatcher, Pool } from 'undici';

export interface AgentLimits {
  /** Pools kept at most; beyond that the one idle longest is closed. More live only while all are in use. */
  readonly maxPools: number;
  /** A pool without a request for this long is closed. */
  readonly poolIdleMs: number;
  /** An unused connection is kept this long, unless the peer says otherwise. */
  readonly keepAliveMs: number;
}

interface Entry {
  readonly key: string;
  readonly pool: Pool;
  active: number;
  /** `performance.now()` of the last request's end. */
  idleSince: number;
}

/** Keeps one pool of keep-alive connections per key, all of them through the same guarded connector. */
export class EgressAgent {
  private readonly entries = new Map<string, Entry>();
  private sweeper: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly connect: buildConnector.connector,
    private readonly limits: AgentLimits,
  ) {}

  /** Pools open right now. */
  get poolCount(): number {
    return this.entries.size;
  }

  /**
   * Sends a request through the pool of `origin` and `key`. Call the returned release once the handler has seen its end,
   * so that the pool counts as idle.
   */
  dispatch(
    origin: string,
    key: string,
    connections: number,
    options: Dispatcher.DispatchOptions,
    handlerFor: (release: () => void) => Dispatcher.DispatchHandler,
  ): void {
    if (this.closed) throw new Error('The egress agent is closed');
    const id = `${key} ${origin}`;
    const entry = this.entries.get(id) ?? this.open(id, key, origin, connections);
    entry.active++;
    let released = false;
    const handler = handlerFor(() => {
      if (released) return;
      released = true;
      entry.active--;
      entry.idleSince = performance.now();
      if (this.entries.size > this.limits.maxPools) this.evict();
    });
    entry.pool.dispatch(options, handler);
  }

  /** Closes the pools of `key` once their requests have ended. */
  closePools(key: string): void {
    for (const [id, entry] of this.entries) if (entry.key === key) this.drop(id, entry);
  }

  /** Cuts every connection; requests under way fail. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.sweeper) clearInterval(this.sweeper);
    this.sweeper = null;
    const pools = [...this.entries.values()].map(({ pool }) => pool);
    this.entries.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  private open(id: string, key: string, origin: string, connections: number): Entry {
    if (this.entries.size >= this.limits.maxPools) this.evict();
    const pool = new Pool(origin, {
      connections,
      connect: this.connect,
      pipelining: 1,
      keepAliveTimeout: this.limits.keepAliveMs,
      keepAliveMaxTimeout: Math.max(this.limits.keepAliveMs, this.limits.poolIdleMs),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const entry: Entry = { key, pool, active: 0, idleSince: performance.now() };
    this.entries.set(id, entry);
    this.sweeper ??= setInterval(
      () => {
        this.sweep();
      },
      Math.max(100, this.limits.poolIdleMs / 2),
    ).unref();
    return entry;
  }

  private sweep(): void {
    const deadline = performance.now() - this.limits.poolIdleMs;
    for (const [id, entry] of this.entries) {
      if (entry.active === 0 && entry.idleSince < deadline) this.drop(id, entry);
    }
  }

  private evict(): void {
    let oldest: [string, Entry] | null = null;
    for (const candidate of this.entries) {
      if (candidate[1].active > 0) continue;
      if (!oldest || candidate[1].idleSince < oldest[1].idleSince) oldest = candidate;
    }
    if (oldest) this.drop(...oldest);
  }

  private drop(id: string, entry: Entry): void {
    this.entries.delete(id);
    // Closing waits for what is under way; what fails in it has been reported to its caller.
    entry.pool.close().catch(() => undefined);
  }
}

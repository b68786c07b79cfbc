import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, HaldirError } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { HaldirConfig } from '@haldir/runtime';
import { type Caller, type HaldirReply } from '../auth/caller.js';
import { type QuotaState, setRateLimitHeaders } from './rate-limit-headers.js';

/** A count of one minute leaves the window when the whole hour after its last second has passed. */
const BUCKETS_SECONDS = 61 * 60;
const LEASE_MS = 2000;
/** Below this limit every request asks the database: exact to the request, and no load. */
const LEASED_FROM = 1000;
const LEASE_MAX = 256;

/** The hour's requests are used up. */
export class QuotaExceeded extends HaldirError {
  readonly kind = 'limited';
  constructor(
    readonly tier: string,
    readonly state: QuotaState,
  ) {
    super(`Rate limit exceeded: ${state.limit} requests per hour on the ${tier} tier`);
  }
  override get code(): string {
    return 'rate_limited';
  }
  override get details(): Readonly<Record<string, unknown>> {
    return { limit: this.state.limit, tier: this.tier, retry_after: this.retryAfterSeconds };
  }
  override get retryAfterSeconds(): number {
    return Math.max(1, this.state.resetAfter);
  }

  /** The refused request is told its window, too. */
  setHeaders(reply: HaldirReply): void {
    setRateLimitHeaders(reply, this.tier, this.state);
  }
}

const takeStatement = {
  name: 'quota_take.v1',
  text: 'SELECT granted, used, oldest_minute, now_seconds FROM quota_take($1, $2, $3, $4)',
};
const giveBackStatement = { name: 'quota_give_back.v1', text: 'SELECT quota_give_back($1, $2, $3, $4)' };

/** Requests of one key that the database has counted and this process has not yet spent. */
interface Lease {
  tokens: number;
  /** Requests counted in the window without the unspent tokens of this lease. */
  used: number;
  minute: number;
  oldestMinute: number;
  until: number;
  waiting: number;
  refill: Promise<void> | null;
}

/**
 * Counts authenticated requests per key over any sliding hour, exactly, across processes: the count lives in Postgres
 * and is taken before it is spent. Keys with large limits take a few hundred at a time, for two seconds at most.
 */
@Injectable()
export class Quota implements OnApplicationShutdown {
  private readonly leases = new Map<string, Lease>();
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(HaldirConfig) private readonly config: HaldirConfig,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    this.sweeper = setInterval(() => void this.sweep(this.now()), LEASE_MS);
    this.sweeper.unref();
  }

  /**
   * Spends one request of the caller's key; null when its tier is unlimited.
   *
   * @throws QuotaExceeded when the window is full; a refused request spends nothing
   */
  async take(caller: Caller): Promise<QuotaState | null> {
    const limit = this.config.tierLimits[caller.tier];
    if (limit === 0) return null;
    const key = `${caller.actor.tenantId}:${caller.keyId}`;
    let lease = this.leases.get(key);
    if (!lease) {
      lease = { tokens: 0, used: 0, minute: 0, oldestMinute: 0, until: 0, waiting: 0, refill: null };
      this.leases.set(key, lease);
    }
    lease.waiting++;
    try {
      // Whoever waited while another's refill granted less than all of them wanted asks once more for itself.
      for (let attempt = 0; lease.tokens === 0 || lease.until <= this.now(); attempt++) {
        const joined = lease.refill;
        lease.refill ??= this.refill(caller, lease, limit);
        await lease.refill;
        if (lease.tokens === 0 && (joined === null || attempt > 0)) {
          throw new QuotaExceeded(caller.tier, this.stateOf(lease, limit));
        }
      }
      lease.tokens--;
      lease.used++;
      return this.stateOf(lease, limit);
    } finally {
      lease.waiting--;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.sweeper);
    await this.sweep(Infinity);
  }

  private async refill(caller: Caller, lease: Lease, limit: number): Promise<void> {
    try {
      await this.giveBack(caller.actor.tenantId, caller.keyId, lease);
      const known = lease.oldestMinute === 0 ? limit : limit - lease.used;
      const size = limit < LEASED_FROM ? 0 : Math.min(LEASE_MAX, Math.floor(limit / 50), Math.ceil(known / 8));
      const [row] = await this.transactions.query<{
        granted: number;
        used: number;
        oldest_minute: string;
        now_seconds: number;
      }>(takeStatement, [caller.actor.tenantId, caller.keyId, Math.max(lease.waiting, size), limit]);
      if (!row) throw new Error('quota_take answers one row');
      lease.minute = Math.floor(row.now_seconds / 60);
      lease.oldestMinute = Number(row.oldest_minute);
      lease.tokens = row.granted;
      lease.used = row.used - row.granted;
      // Spent before the minute it was counted in ends, so that it leaves the window late rather than early.
      const minuteLeftMs = (lease.minute + 1) * 60_000 - row.now_seconds * 1000;
      lease.until = this.now() + Math.max(50, Math.min(LEASE_MS, minuteLeftMs));
    } finally {
      lease.refill = null;
    }
  }

  private async giveBack(tenantId: string, keyId: string, lease: Lease): Promise<void> {
    const { tokens, minute } = lease;
    if (tokens === 0) return;
    lease.tokens = 0;
    await this.transactions.query(giveBackStatement, [tenantId, keyId, minute, tokens]);
  }

  private async sweep(now: number): Promise<void> {
    for (const [key, lease] of this.leases) {
      if (lease.until > now || lease.waiting > 0 || lease.refill) continue;
      this.leases.delete(key);
      const [tenantId = '', keyId = ''] = key.split(':');
      await this.giveBack(tenantId, keyId, lease).catch(() => undefined);
    }
  }

  private stateOf(lease: Lease, limit: number): QuotaState {
    const resetAt = lease.oldestMinute * 60 + BUCKETS_SECONDS;
    const resetAfter = Math.max(1, resetAt - Math.floor(this.now() / 1000));
    return { limit, used: Math.min(limit, lease.used), resetAt, resetAfter };
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

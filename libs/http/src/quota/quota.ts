import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, HaldirError } from '@haldir/kernel';
import { HaldirConfig, type Tier } from '@haldir/runtime';
import { type Caller, type HaldirReply } from '../auth/caller.js';
import { QuotaRepository } from './quota.repository.js';
import { type QuotaState, setRateLimitHeaders } from './rate-limit-headers.js';

export const WINDOW_SECONDS = 3600;
const LEASE_MS = 2000;
/** Below this limit every request asks the database: exact to the request, and no load. */
const LEASED_FROM = 1000;
const LEASE_MAX = 256;
/** In place of a limit, where there is none. */
const UNLIMITED = 2_147_483_647;

/** The window's requests are used up. */
export class QuotaExceeded extends HaldirError {
  constructor(
    readonly state: QuotaState,
    message: string,
  ) {
    const { limit, tier, resetAfter } = state;
    super('limited', message, {
      code: 'rate_limited',
      details: { limit, tier, retry_after: resetAfter },
      retryAfterSeconds: resetAfter,
    });
  }

  /** The refused request is told its window, too. */
  setHeaders(reply: HaldirReply): void {
    setRateLimitHeaders(reply, this.state);
  }
}

/** Whose requests are counted, and by which tiers. */
type Spender = Pick<Caller, 'tier' | 'tenantTier'> & { actor: Pick<Caller['actor'], 'tenantId' | 'id'> };

/** Requests in the window as the database had it, without the unspent tokens of this lease. */
interface Window {
  used: number;
  /** When the last request of its oldest bucket came, in seconds; 0 when it is not known. */
  oldest: number;
}

/** Requests of one principal that the database has counted and this process has not yet spent. */
interface Lease {
  tenantId: string;
  principal: string;
  tokens: number;
  own: Window;
  tenant: Window;
  /** Of the bucket that they were counted in. */
  minute: number;
  until: number;
  waiting: number;
  refill: Promise<void> | null;
}

/** What a caller's requests are held to; `UNLIMITED` where a tier has no limit. */
interface Limits {
  own: number;
  tenant: number;
}

/**
 * Counts authenticated requests over any sliding hour, exactly, across processes: of each key by its tier, and of all keys
 * of a tenant together by the tenant's. The counts live in Postgres and are taken before they are spent. Where limits are
 * large, a few hundred are taken at a time, for two seconds at most.
 */
@Injectable()
export class Quota implements OnApplicationShutdown {
  private readonly leases = new Map<string, Lease>();
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly windows: QuotaRepository,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {
    this.sweeper = setInterval(() => void this.sweep(this.now()), LEASE_MS);
    this.sweeper.unref();
  }

  /**
   * Spends one request of the caller's key, and of its tenant; answers the tighter window, or null when neither has a limit.
   *
   * @throws QuotaExceeded when a window is full; a refused request spends nothing
   */
  async take(caller: Spender): Promise<QuotaState | null> {
    const limits = { own: this.limitOf(caller.tier), tenant: this.limitOf(caller.tenantTier) };
    if (limits.own === UNLIMITED && limits.tenant === UNLIMITED) return null;
    const lease = this.leaseOf({ tenantId: caller.actor.tenantId, principal: caller.actor.id });
    lease.waiting++;
    try {
      // Whoever waited while another's refill granted less than all of them wanted asks once more for itself.
      for (let attempt = 0; lease.tokens === 0 || lease.until <= this.now(); attempt++) {
        const joined = lease.refill;
        lease.refill ??= this.refill(lease, limits);
        await lease.refill;
        if (lease.tokens === 0 && (joined === null || attempt > 0)) throw this.exceeded(caller, lease, limits);
      }
      lease.tokens--;
      lease.own.used++;
      lease.tenant.used++;
      return this.stateOf(caller, lease, limits);
    } finally {
      lease.waiting--;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.sweeper);
    await this.sweep(Infinity);
  }

  private leaseOf({ tenantId, principal }: { tenantId: string; principal: string }): Lease {
    const name = `${tenantId} ${principal}`;
    let lease = this.leases.get(name);
    if (!lease) {
      const unknown = { used: 0, oldest: 0 };
      lease = {
        tenantId,
        principal,
        own: { ...unknown },
        tenant: { ...unknown },
        tokens: 0,
        minute: 0,
        until: 0,
        waiting: 0,
        refill: null,
      };
      this.leases.set(name, lease);
    }
    return lease;
  }

  private async refill(lease: Lease, limits: Limits): Promise<void> {
    try {
      await this.giveBack(lease);
      const limit = Math.min(limits.own, limits.tenant);
      const left = Math.min(leftOf(lease.own, limits.own), leftOf(lease.tenant, limits.tenant));
      const size = limit < LEASED_FROM ? 0 : Math.min(LEASE_MAX, Math.floor(limit / 50), Math.ceil(left / 8));
      const leaseSeconds = limit < LEASED_FROM ? 0 : LEASE_MS / 1000;
      const askedAt = this.now();
      const taken = await this.windows.take(lease, Math.max(lease.waiting, size), limits, leaseSeconds);
      lease.tokens = taken.granted;
      lease.own = { used: taken.used - taken.granted, oldest: taken.oldest ?? 0 };
      lease.tenant = { used: taken.tenantUsed - taken.granted, oldest: taken.tenantOldest ?? 0 };
      lease.minute = Math.floor((taken.nowSeconds + leaseSeconds) / 60);
      lease.until = Math.max(this.now() + 50, askedAt + leaseSeconds * 1000);
    } finally {
      lease.refill = null;
    }
  }

  private async giveBack(lease: Lease): Promise<void> {
    const { tokens, minute } = lease;
    if (tokens === 0) return;
    lease.tokens = 0;
    await this.windows.giveBack(lease, minute, tokens);
  }

  private async sweep(now: number): Promise<void> {
    for (const [name, lease] of this.leases) {
      if (lease.until > now || lease.waiting > 0 || lease.refill) continue;
      this.leases.delete(name);
      await this.giveBack(lease).catch(() => undefined);
    }
  }

  private limitOf(tier: Tier): number {
    return this.config.tierLimits[tier] || UNLIMITED;
  }

  private isTenantTighter({ own, tenant }: Lease, limits: Limits): boolean {
    return limits.tenant - tenant.used < limits.own - own.used;
  }

  private exceeded(caller: Spender, lease: Lease, limits: Limits): QuotaExceeded {
    const state = this.stateOf(caller, lease, limits);
    const whose = this.isTenantTighter(lease, limits) ? ' for all keys of a tenant' : '';
    return new QuotaExceeded(
      state,
      `Rate limit exceeded: ${state.limit} requests per hour${whose} on the ${state.tier} tier`,
    );
  }

  private stateOf({ tier, tenantTier }: Spender, lease: Lease, limits: Limits): QuotaState {
    const [tight, limit, name] = this.isTenantTighter(lease, limits)
      ? [lease.tenant, limits.tenant, tenantTier]
      : [lease.own, limits.own, tier];
    const now = Math.floor(this.now() / 1000);
    const resetAfter = Math.min(WINDOW_SECONDS, Math.max(1, Math.ceil(tight.oldest) + WINDOW_SECONDS - now));
    return {
      tier: name,
      limit,
      used: Math.min(limit, tight.used),
      windowSeconds: WINDOW_SECONDS,
      resetAt: now + resetAfter,
      resetAfter,
    };
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

function leftOf({ used, oldest }: Window, limit: number): number {
  return oldest === 0 ? limit : limit - used;
}

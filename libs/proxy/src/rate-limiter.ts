import { Inject, Injectable } from '@nestjs/common';
import { Batcher, Clock } from '@haldir/kernel';
import { isDataFailure, Transactions, type Tx } from '@haldir/database';
import { type RateLimit } from './policy.js';

/** One agent's wish to make a call under some limits, of which every one must hold. */
export interface RateWish {
  tenantId: string;
  agentId: string;
  limits: readonly RateLimit[];
}

const WINDOW_MS = 60_000;
/** Up to so many calls a minute, each is remembered to the millisecond. */
const EXACT_LIMIT = 600;
/** Beyond that, by tenths of a second, each counted until its whole tenth has left the window. */
const GRAIN_MS = 100;

const ensure = {
  name: 'proxy_rate.ensure.v1',
  text: `INSERT INTO proxy_rate (tenant_id, policy_id, agent_id, times, counts, touched_at)
           SELECT w.tenant_id, w.policy_id, w.agent_id, '{}', '{}', now()
             FROM unnest($1::text[], $2::text[], $3::text[]) AS w(tenant_id, policy_id, agent_id)
             JOIN proxy_policy p ON p.tenant_id = w.tenant_id AND p.id = w.policy_id
            WHERE NOT EXISTS (SELECT FROM proxy_rate r
                               WHERE r.tenant_id = w.tenant_id AND r.policy_id = w.policy_id AND r.agent_id = w.agent_id)
            ORDER BY 1, 2, 3 FOR KEY SHARE OF p
           ON CONFLICT DO NOTHING`,
};
const lock = {
  name: 'proxy_rate.lock.v1',
  text: `SELECT tenant_id, policy_id, agent_id, times, counts FROM proxy_rate
          WHERE (tenant_id, policy_id, agent_id) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
          ORDER BY 1, 2, 3 FOR UPDATE`,
};
const save = {
  name: 'proxy_rate.save.v1',
  text: `UPDATE proxy_rate r SET times = w.times::bigint[], counts = w.counts::integer[], touched_at = $6
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS w(tenant_id, policy_id, agent_id, times, counts)
          WHERE r.tenant_id = w.tenant_id AND r.policy_id = w.policy_id AND r.agent_id = w.agent_id`,
};
const purge = {
  name: 'proxy_rate.purge.v1',
  text: `DELETE FROM proxy_rate WHERE (tenant_id, policy_id, agent_id) IN (
           SELECT tenant_id, policy_id, agent_id FROM proxy_rate WHERE touched_at < $1 LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
};

interface RateRow {
  tenant_id: string;
  policy_id: string;
  agent_id: string;
  times: string[];
  counts: number[];
}

interface Window extends Omit<RateRow, 'times'> {
  times: number[];
  changed: boolean;
}

/** Windows locked for the rest of a transaction. */
interface LockedRates {
  /** The limit that has no room for the call, else null. */
  full(wish: RateWish): RateLimit | null;
  /** Counts the call in every window. */
  count(wish: RateWish): void;
  /** Writes what was counted; does not wait for the answer. */
  save(): void;
}

/**
 * Lets no more calls of an agent through than a policy allows in any minute, however many processes are asked at once.
 * Calls that are not let through do not count.
 */
@Injectable()
export class RateLimiter {
  private readonly writer = new Batcher<RateWish, RateLimit | null>({
    maxBatch: 256,
    maxInFlight: 1,
    maxQueued: 8192,
    splitOn: isDataFailure,
    run: (wishes) =>
      this.transactions.run(
        wishes.map(({ tenantId }) => tenantId),
        (tx) => this.takeMany(tx, wishes),
      ),
  });

  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Counts the call and answers null, or answers the limit that is reached. Wishes that arrive together share a commit. */
  take(wish: RateWish): Promise<RateLimit | null> {
    return wish.limits.length === 0 ? Promise.resolve(null) : this.writer.submit(wish);
  }

  /** The windows of a wish, for a caller that has more to decide before the call counts. */
  async lock(tx: Tx, wishes: readonly RateWish[]): Promise<LockedRates> {
    const keys = new Map(
      wishes.flatMap(({ tenantId, agentId, limits }) =>
        limits.map(({ policyId }): [string, [string, string, string]] => [
          `${policyId} ${agentId}`,
          [tenantId, policyId, agentId],
        ]),
      ),
    );
    const columns = [0, 1, 2].map((i) => [...keys.values()].map((key) => key[i]));
    tx.send(ensure, columns);
    let rows = await tx.query<RateRow>(lock, columns);
    if (rows.length < keys.size) {
      // A policy was removed since it was read, or an idle agent's window was forgotten between the two statements.
      tx.send(ensure, columns);
      rows = await tx.query<RateRow>(lock, columns);
    }
    const now = this.clock.now();
    const windows = new Map(
      rows.map((row): [string, Window] => [
        `${row.policy_id} ${row.agent_id}`,
        { ...row, times: row.times.map(Number), changed: false },
      ]),
    );
    return this.decider(tx, windows, now);
  }

  /** Forgets agents that were not heard of for some minutes, some at a time. */
  async forgetIdle(): Promise<void> {
    await this.transactions.queryAll(purge, [new Date(this.clock.now().getTime() - 10 * WINDOW_MS)]);
  }

  private async takeMany(tx: Tx, wishes: RateWish[]): Promise<(RateLimit | null)[]> {
    const rates = await this.lock(tx, wishes);
    const answers = wishes.map((wish) => {
      const full = rates.full(wish);
      if (full === null) rates.count(wish);
      return full;
    });
    rates.save();
    return answers;
  }

  private decider(tx: Tx, windows: Map<string, Window>, at: Date): LockedRates {
    const now = at.getTime();
    // A policy removed since it was read has no window any more, and limits nothing.
    const windowOf = (agentId: string, { policyId }: RateLimit): Window | undefined =>
      windows.get(`${policyId} ${agentId}`);
    return {
      full: ({ agentId, limits }) =>
        limits.find((limit) => {
          const window = windowOf(agentId, limit);
          return window !== undefined && countedIn(window, limit, now) >= limit.maxPerMinute;
        }) ?? null,
      count: ({ agentId, limits }) => {
        for (const limit of limits) {
          const window = windowOf(agentId, limit);
          if (window) add(window, limit, now);
        }
      },
      save: () => {
        const changed = [...windows.values()].filter((window) => window.changed);
        if (changed.length === 0) return;
        tx.send(save, [
          changed.map((window) => window.tenant_id),
          changed.map((window) => window.policy_id),
          changed.map((window) => window.agent_id),
          changed.map(({ times }) => `{${times.join(',')}}`),
          changed.map(({ counts }) => `{${counts.join(',')}}`),
          at,
        ]);
      },
    };
  }
}

function grainOf({ maxPerMinute }: RateLimit): number {
  return maxPerMinute <= EXACT_LIMIT ? 1 : GRAIN_MS;
}

/** Calls in the minute that ends now. Times ahead of our clock, from a process whose clock is, count too. */
function countedIn({ times, counts }: Window, limit: RateLimit, now: number): number {
  const oldest = now - WINDOW_MS - (grainOf(limit) - 1);
  return counts.reduce((sum, count, i) => ((times[i] ?? 0) > oldest ? sum + count : sum), 0);
}

function add(window: Window, limit: RateLimit, now: number): void {
  const grain = grainOf(limit);
  const time = now - (now % grain);
  const oldest = now - WINDOW_MS - (grain - 1);
  const kept = window.times.flatMap((t, i): [number, number][] => (t > oldest ? [[t, window.counts[i] ?? 0]] : []));
  const same = kept.find(([t]) => t === time);
  if (same) same[1]++;
  else kept.push([time, 1]);
  window.times = kept.map(([t]) => t);
  window.counts = kept.map(([, count]) => count);
  window.changed = true;
}

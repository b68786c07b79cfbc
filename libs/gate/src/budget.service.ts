import { Injectable } from '@nestjs/common';
import { type Actor, Clock, type MicroUsd, toDollars } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { Outbox } from '@haldir/events';
import { type UsageScope } from './budget-usage.entity.js';
import { thresholdsReached } from './budget.js';
import { BudgetBooks, drawnOnOf, type LimitedUsage } from './budget-books.js';
import { BudgetRepository } from './budget.repository.js';
import { type LockedSession, LockedSessionRepository } from './locked-session.repository.js';
import { type Session } from './session.entity.js';
import { type SessionKey } from './session.repository.js';

/** An amount to take from a session's budget, or to set aside. */
export interface Spend extends SessionKey {
  /** Acts through the session. */
  actor: Actor;
  /** Null for a payment whose worth in dollars is not known: it takes nothing, and passes no limit. */
  amount: MicroUsd | null;
  kind: 'spend' | 'hold';
}

/**
 * What became of it. A denial is an answer, not an error: `invalid_session` unless the session is live, `no_grant` when it
 * may not spend at all, `no_rate` when an amount of unknown worth meets a limit, else the budget that it does not fit in. `remaining` is what the tightest budget leaves.
 */
export type SpendDecision =
  | { taken: true; session: Session; remaining: MicroUsd | null; drawnOn: string[] }
  | { taken: false; reason: SpendRefusal; session: Session; remaining: MicroUsd | null }
  | { taken: false; reason: 'invalid_session' };
export type SpendRefusal =
  'no_grant' | 'no_rate' | 'over_budget' | 'over_key_budget' | 'over_agent_budget' | 'over_tenant_budget';

/** What a hold came to: `held` is set free, and `spent` of it is spent for good. */
export interface Settlement extends SessionKey {
  agentId: string;
  /** When it was held: it counts to the periods of that time. */
  heldAt: Date;
  /** Standing budgets that it was drawn on, as they were answered then. */
  drawnOn: readonly string[];
  held: MicroUsd;
  spent: MicroUsd;
}

/** Sessions whose rows are locked until the transaction ends. */
export interface SessionLock {
  readonly books: BudgetBooks;
  /** As it is now; null when there is none. */
  session(tenantId: string, sessionId: string): Session | null;
}

const ANNOUNCE_EVERY_MS = 60_000;
const REFUSALS: Readonly<Record<UsageScope, SpendRefusal>> = {
  key: 'over_key_budget',
  tenant_month: 'over_tenant_budget',
  agent_day: 'over_agent_budget',
};

/**
 * The one place where budgets are spent: a session's own, those of the agent keys that opened it and what it descends from and act through
 * it, its agent's of the day and its tenant's of the month. Rows are
 * locked in one order everywhere (sessions, then usages), so that racing payments queue up and never deadlock.
 */
@Injectable()
export class BudgetService {
  constructor(
    private readonly sessions: LockedSessionRepository,
    private readonly budgets: BudgetRepository,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /**
   * Decides the spends in their order, on the rows locked for the rest of the transaction: of those that together exceed
   * a budget, only the ones that fit are taken, however many processes ask at once. Announces `budget_threshold`, once for
   * each of 50, 80 and 100 % of a limit, and `budget_exhausted`, at most once per session and minute, when a session's
   * budget is emptied or an amount does not fit in it.
   */
  async take(tx: Tx, spends: readonly Spend[]): Promise<SpendDecision[]> {
    const tenants = [...new Set(spends.map(({ tenantId }) => tenantId))];
    const [locked, budgets] = await Promise.all([
      this.sessions.in(tx).lock(spends),
      this.budgets.in(tx).ofTenants(tenants),
    ]);
    const now = this.clock.now();
    const books = new BudgetBooks(locked, budgets, now);
    const limited = books.limitedUsages(spends);
    if (limited.length > 0) books.open(await this.budgets.in(tx).lockUsages(limited));
    const decisions = spends.map((spend) => this.decide(tx, books, spend, now));
    this.sessions.in(tx).save(books.changedSessions());
    this.budgets.in(tx).addUsages(books.movements());
    return decisions;
  }

  /**
   * Locks sessions for the rest of the transaction, before whatever else of theirs is to be changed, with all that they descend from:
   * what is set free in one that is over is its parent's.
   */
  async lock(tx: Tx, keys: readonly SessionKey[]): Promise<SessionLock> {
    const books = new BudgetBooks(await this.sessions.in(tx).lockLineages(keys), [], this.clock.now());
    return { books, session: (tenantId, sessionId) => books.session(tenantId, sessionId)?.session ?? null };
  }

  /** Sets free what was held and spends what of it was captured, in the budgets it was held in. */
  settle(tx: Tx, { books }: SessionLock, settlements: readonly Settlement[]): void {
    for (const { tenantId, sessionId, agentId, heldAt, drawnOn, held, spent } of settlements) {
      const entry = books.session(tenantId, sessionId);
      if (!entry) throw new Error('what was held was held in a session');
      books.move(entry, { agentId, at: heldAt, drawnOn, spent, held: (0n - held) as MicroUsd });
    }
    this.sessions.in(tx).save(books.changedSessions());
    this.budgets.in(tx).changeUsages(books.movements());
  }

  private decide(tx: Tx, books: BudgetBooks, spend: Spend, now: Date): SpendDecision {
    const { actor, tenantId, sessionId, kind } = spend;
    const entry = books.session(tenantId, sessionId);
    if (!entry || entry.isOver || !entry.session.isValidAt(now)) return { taken: false, reason: 'invalid_session' };
    const { session } = entry;
    const own = session.remainingBudget();
    const above = books.usagesOver(entry, actor);
    const remaining = (): MicroUsd | null => least([session.remainingBudget(), ...above.map(remainingOf)]);
    if (!session.maySpend()) return { taken: false, reason: 'no_grant', session, remaining: remaining() };
    if (spend.amount === null && (own !== null || above.length > 0)) {
      return { taken: false, reason: 'no_rate', session, remaining: remaining() };
    }
    const amount = spend.amount ?? (0n as MicroUsd);
    if (own !== null && amount > own) {
      this.announceExhausted(tx, books, entry, now);
      return { taken: false, reason: 'over_budget', session, remaining: remaining() };
    }
    const full = above.find((usage) => amount > remainingOf(usage));
    if (full) return { taken: false, reason: REFUSALS[full.usage.scope], session, remaining: remaining() };

    const move = kind === 'spend' ? { spent: amount, held: 0n as MicroUsd } : { spent: 0n as MicroUsd, held: amount };
    const drawnOn = above.filter(({ usage }) => usage.scope === 'key').map(({ usage }) => drawnOnOf(usage));
    books.move(entry, { agentId: session.agentId, at: now, drawnOn, ...move });
    for (const { usage, limit } of above) {
      for (const percent of thresholdsReached((usage.spent + usage.held) as MicroUsd, limit, usage.threshold)) {
        usage.threshold = percent;
        books.noteThreshold(usage);
        const { scope, period, subject } = usage;
        const key = scope === 'key' ? { key: subject } : {};
        this.announceThreshold(tx, session, { scope, period, percent, limit, usage, ...key });
      }
    }
    if (session.spendLimit !== null) {
      for (const percent of thresholdsReached(session.used, session.spendLimit, entry.threshold)) {
        entry.threshold = percent;
        this.announceThreshold(tx, session, { scope: 'session', percent, limit: session.spendLimit, usage: session });
      }
    }
    if (session.remainingBudget() === 0n) this.announceExhausted(tx, books, entry, now);
    return { taken: true, session, remaining: remaining(), drawnOn };
  }

  private announceExhausted(tx: Tx, books: BudgetBooks, entry: LockedSession, now: Date): void {
    const { session, announcedAt } = entry;
    if (announcedAt !== null && now.getTime() - announcedAt.getTime() < ANNOUNCE_EVERY_MS) return;
    entry.announcedAt = now;
    books.touch(entry);
    this.outbox.publish(tx, session.tenantId, {
      type: 'budget_exhausted',
      data: {
        session_id: session.id,
        agent_id: session.agentId,
        spent: toDollars(session.spent),
        limit: session.spendLimit === null ? null : toDollars(session.spendLimit),
      },
    });
  }

  private announceThreshold(
    tx: Tx,
    session: Session,
    {
      scope,
      period,
      key,
      percent,
      limit,
      usage,
    }: {
      scope: UsageScope | 'session';
      period?: string;
      /** Of a standing budget, whose it is. */
      key?: string;
      percent: number;
      limit: MicroUsd;
      usage: { spent: MicroUsd; held: MicroUsd; delegated?: MicroUsd };
    },
  ): void {
    this.outbox.publish(tx, session.tenantId, {
      type: 'budget_threshold',
      data: {
        scope,
        ...(period === undefined ? { session_id: session.id } : { period }),
        ...(scope === 'tenant_month' ? {} : { agent_id: session.agentId }),
        ...(key === undefined ? {} : { key }),
        threshold: percent,
        spent: toDollars(usage.spent),
        held: toDollars(usage.held),
        ...(usage.delegated ? { delegated: toDollars(usage.delegated) } : {}),
        limit: toDollars(limit),
      },
    });
  }
}

function remainingOf({ usage, limit }: LimitedUsage): MicroUsd {
  return (limit - usage.spent - usage.held) as MicroUsd;
}

/** The smallest of amounts, of which null means no limit; a negative one reads as nothing. */
function least(amounts: (MicroUsd | null)[]): MicroUsd | null {
  const known = amounts.filter((amount) => amount !== null);
  if (known.length === 0) return null;
  const smallest = known.reduce((a, b) => (b < a ? b : a));
  return smallest < 0n ? (0n as MicroUsd) : smallest;
}

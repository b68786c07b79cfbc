import { Inject, Injectable } from '@nestjs/common';
import { Clock, type MicroUsd, toDollars } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { Outbox } from '@haldir/events';
import { type Session } from './session.entity.js';
import { type LockedSession, type SessionKey, SessionRepository } from './session.repository.js';

/** A wish to take `amount` from a session's budget. */
export interface Spend extends SessionKey {
  amount: MicroUsd;
}

/**
 * What became of it. A denial is an answer, not an error: `invalid_session` unless the session is live,
 * `no_grant` when it may not spend at all, `over_budget` when the amount does not fit.
 */
export type SpendDecision =
  | { taken: true; session: Session; remaining: MicroUsd | null }
  | { taken: false; reason: 'no_grant' | 'over_budget'; session: Session; remaining: MicroUsd | null }
  | { taken: false; reason: 'invalid_session' };

const ANNOUNCE_EVERY_MS = 60_000;

/** The one place where session budgets are spent. */
@Injectable()
export class BudgetService {
  constructor(
    @Inject(SessionRepository) private readonly sessions: SessionRepository,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Decides the wishes in their order, on the rows locked for the rest of the transaction: of those that together
   * exceed a budget, only the ones that fit are taken, however many processes ask at once. Announces
   * `budget_exhausted`, at most once per session and minute, when a budget is emptied or an amount does not fit.
   */
  async take(tx: Tx, wishes: readonly Spend[]): Promise<SpendDecision[]> {
    const sessions = this.sessions.in(tx);
    const locked = new Map(
      (await sessions.lock([...wishes])).map((entry) => [keyOf(entry.session.tenantId, entry.session.id), entry]),
    );
    const changed = new Set<LockedSession>();
    const now = this.clock.now();
    const decisions = wishes.map(({ tenantId, sessionId, amount }): SpendDecision => {
      const entry = locked.get(keyOf(tenantId, sessionId));
      if (!entry?.session.isValidAt(now)) return { taken: false, reason: 'invalid_session' };
      const { session } = entry;
      const remaining = session.remainingBudget();
      if (!session.maySpend()) return { taken: false, reason: 'no_grant', session, remaining };
      const fits = remaining === null || amount <= remaining;
      if (fits) {
        session.spent = (session.spent + amount) as MicroUsd;
        changed.add(entry);
      }
      if ((!fits || session.remainingBudget() === 0n) && this.announce(tx, entry, now)) changed.add(entry);
      return fits
        ? { taken: true, session, remaining: session.remainingBudget() }
        : { taken: false, reason: 'over_budget', session, remaining };
    });
    if (changed.size > 0) sessions.saveSpent([...changed]);
    return decisions;
  }

  private announce(tx: Tx, entry: LockedSession, now: Date): boolean {
    const { session, announcedAt } = entry;
    if (announcedAt !== null && now.getTime() - announcedAt.getTime() < ANNOUNCE_EVERY_MS) return false;
    entry.announcedAt = now;
    this.outbox.publish(tx, session.tenantId, {
      type: 'budget_exhausted',
      data: {
        session_id: session.id,
        agent_id: session.agentId,
        spent: toDollars(session.spent),
        limit: session.spendLimit === null ? null : toDollars(session.spendLimit),
      },
    });
    return true;
  }
}

function keyOf(tenantId: string, sessionId: string): string {
  return `${tenantId} ${sessionId}`;
}

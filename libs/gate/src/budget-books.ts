import { type Actor, type MicroUsd } from '@haldir/kernel';
import { limitsFor, periodOf, standingPeriodOf } from './budget.js';
import { type BudgetUsage } from './budget-usage.entity.js';
import { type Budget, BUDGET_SCOPES, type BudgetScope } from './budget.entity.js';
import { type UsageKey } from './budget.repository.js';
import { type LockedSession } from './locked-session.repository.js';
import { SessionTree } from './session-tree.js';
import { type SessionKey } from './session.repository.js';

/** A usage that a limit holds for. */
export interface LimitedUsage {
  usage: BudgetUsage;
  limit: MicroUsd;
}

interface Movement {
  agentId: string;
  at: Date;
  drawnOn: readonly string[];
  spent: MicroUsd;
  held: MicroUsd;
}

/** A limit that holds for a session and whoever acts through it. */
interface Limit {
  key: UsageKey;
  limit: MicroUsd;
}

/** Sessions and usages as they are while a transaction decides about them, and what has moved. */
export class BudgetBooks {
  private readonly tree: SessionTree;
  private readonly usages = new Map<string, BudgetUsage>();
  private readonly moved = new Map<string, BudgetUsage>();

  constructor(
    sessions: readonly LockedSession[],
    private readonly budgets: readonly Budget[],
    private readonly now: Date,
  ) {
    this.tree = new SessionTree(sessions);
  }

  session(tenantId: string, sessionId: string): LockedSession | undefined {
    return this.tree.get(tenantId, sessionId);
  }

  /** The usages that limits hold for, of the sessions that the spends are about. */
  limitedUsages(spends: readonly (SessionKey & { actor: Actor })[]): UsageKey[] {
    const keys = new Map<string, UsageKey>();
    for (const { tenantId, sessionId, actor } of spends) {
      const entry = this.session(tenantId, sessionId);
      if (!entry) continue;
      for (const { key } of this.limitsOver(entry, actor)) keys.set(usageName(key), key);
    }
    return [...keys.values()];
  }

  open(usages: readonly BudgetUsage[]): void {
    for (const usage of usages) this.usages.set(usageName(usage), usage);
  }

  usagesOver(entry: LockedSession, actor: Actor): LimitedUsage[] {
    return this.limitsOver(entry, actor).map(({ key, limit }) => {
      const usage = this.usages.get(usageName(key));
      if (!usage) throw new Error('a usage that a limit holds for is locked first');
      return { usage, limit };
    });
  }

  /** Moves amounts in the session and in every usage it counts to; what is set free in one that is over is its parent's. */
  move(entry: LockedSession, { agentId, at, drawnOn, spent, held }: Movement): void {
    const { session } = entry;
    session.spent = (session.spent + spent) as MicroUsd;
    session.held = (session.held + held) as MicroUsd;
    this.touch(entry);
    this.tree.setFree(entry, -(spent + held) as MicroUsd);
    const { tenantId } = session;
    const keys = [
      ...BUDGET_SCOPES.map((scope) => usageKey(scope, tenantId, agentId, at)),
      ...drawnOn.map((text) => standingKeyIn(tenantId, text)),
    ];
    for (const key of keys) {
      for (const usage of [this.usages.get(usageName(key)), this.movementOf(key)]) {
        if (!usage) continue;
        usage.spent = (usage.spent + spent) as MicroUsd;
        usage.held = (usage.held + held) as MicroUsd;
      }
    }
  }

  noteThreshold(usage: BudgetUsage): void {
    this.movementOf(usage).threshold = usage.threshold;
  }

  touch(entry: LockedSession): void {
    this.tree.touch(entry);
  }

  changedSessions(): LockedSession[] {
    return this.tree.changed;
  }

  movements(): BudgetUsage[] {
    return [...this.moved.values()];
  }

  private movementOf({ tenantId, scope, subject, period }: UsageKey): BudgetUsage {
    const name = usageName({ tenantId, scope, subject, period });
    let movement = this.moved.get(name);
    if (!movement) {
      const nothing = 0n as MicroUsd;
      movement = { tenantId, scope, subject, period, spent: nothing, held: nothing, threshold: 0 };
      this.moved.set(name, movement);
    }
    return movement;
  }

  private limitsOver({ session, standings }: LockedSession, { id, agent }: Actor): Limit[] {
    const { tenantId, agentId } = session;
    const own = this.budgets.filter((budget) => budget.tenantId === tenantId);
    const acting = agent && { keyId: id, limit: agent.spendLimit, period: agent.spendPeriod };
    const keys = [...standings, ...(acting && !standings.some(({ keyId }) => keyId === id) ? [acting] : [])];
    return [
      ...keys.map(({ keyId: subject, limit, period }) => ({
        key: { tenantId, scope: 'key' as const, subject, period: standingPeriodOf(period, this.now) },
        limit,
      })),
      ...[...limitsFor(own, agentId)].map(([scope, limit]) => ({
        key: usageKey(scope, tenantId, agentId, this.now),
        limit,
      })),
    ];
  }
}

function usageKey(scope: BudgetScope, tenantId: string, agentId: string, at: Date): UsageKey {
  return { tenantId, scope, subject: scope === 'agent_day' ? agentId : '', period: periodOf(scope, at) };
}

/** How a payment remembers a standing budget that it was drawn on. */
export function drawnOnOf({ subject, period }: UsageKey): string {
  return `${subject} ${period}`;
}

function standingKeyIn(tenantId: string, drawnOn: string): UsageKey {
  const [subject = '', period = ''] = drawnOn.split(' ');
  return { tenantId, scope: 'key', subject, period };
}

function usageName({ tenantId, scope, subject, period }: UsageKey): string {
  return `${tenantId} ${scope} ${period} ${subject}`;
}

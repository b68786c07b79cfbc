import { InvalidInput, type MicroUsd, toDollars } from '@haldir/kernel';
import { DelegatedTooDeep, SessionBeyondParent, TooManyDescendants } from './gate.errors.js';
import { holdsScope } from './session-scopes.js';
import { type Session } from './session.entity.js';

/** How many sessions one descends from at most. */
export const MAX_DEPTH = 8;
/** How many that are not over descend from one at most, through others too. */
export const MAX_DESCENDANTS = 100;

/**
 * Makes a new session one that was opened from the parent: no wider, no longer, and with no more money.
 *
 * @param lineage what the parent descends from, the first one first
 * @param mayEndSooner whether it ends with the parent where that ends before it
 * @throws SessionBeyondParent that names what is too much; InvalidInput without a limit where the parent has one; DelegatedTooDeep,
 *   TooManyDescendants
 */
export function keepWithinParent(
  child: Session,
  parent: Session,
  lineage: readonly Session[],
  mayEndSooner: boolean,
): void {
  if (child.agentId !== parent.agentId)
    throw new SessionBeyondParent('agent_id', 'sessions of its own agent only, on whose budgets they are drawn');
  if (!child.scopes.every((scope) => holdsScope(parent.scopes, scope)))
    throw new SessionBeyondParent('scopes', `some of ${parent.scopes.join(', ')}`);
  keepWithinTime(child, parent, mayEndSooner);
  keepWithinMoney(child, parent);
  if (parent.lineage.length >= MAX_DEPTH) throw new DelegatedTooDeep(MAX_DEPTH);
  if ([...lineage, parent].some(({ descendants }) => descendants >= MAX_DESCENDANTS))
    throw new TooManyDescendants(MAX_DESCENDANTS);
  child.lineage = [...parent.lineage, parent.id];
}

function keepWithinTime(child: Session, { expiresAt: end }: Session, mayEndSooner: boolean): void {
  if (child.expiresAt <= end) return;
  if (!mayEndSooner) {
    const seconds = Math.max(0, Math.floor((end.getTime() - child.createdAt.getTime()) / 1000));
    throw new SessionBeyondParent('ttl', `at most ${seconds} seconds`);
  }
  child.expiresAt = end;
}

function keepWithinMoney({ spendLimit: limit }: Session, parent: Session): void {
  const left = parent.remainingBudget();
  // A limit is a grant to spend up to it, which one that may not spend has not to give.
  if (!parent.maySpend() && limit !== null && limit > 0n) throw beyondMoney(0n as MicroUsd);
  if (left === null) return;
  if (limit === null)
    throw new InvalidInput(
      'spend_limit: expected an amount, 0 for none: what the session may spend is held of what its parent may',
    );
  if (limit > left) throw beyondMoney(left);
}

function beyondMoney(left: MicroUsd): SessionBeyondParent {
  return new SessionBeyondParent('spend_limit', `at most ${toDollars(left)} USD`);
}

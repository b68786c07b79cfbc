import { type MicroUsd } from '@haldir/kernel';
import { type LockedSession } from './locked-session.repository.js';
import { type Session } from './session.entity.js';

/**
 * Locked sessions, and what moves between one and those that it descends from. Of a parent with a limit is held, for each session that was
 * opened from it, all that this one may spend while it is not over; from then on what it has used up:
 *
 *     delegated of a parent = sum over its children of (is over ? spent + held + delegated : limit)
 *
 * So nothing moves above a session while it spends, what is left returns in the moment in which its end is noted, and what is set free
 * after that returns as well, up to the first that is not over. Of a row that was edited in the database nothing returns.
 */
export class SessionTree {
  private readonly entries: Map<string, LockedSession>;
  private readonly touched = new Set<LockedSession>();

  constructor(locked: readonly LockedSession[]) {
    this.entries = new Map(locked.map((entry) => [placeOf(entry.session), entry]));
  }

  get changed(): LockedSession[] {
    return [...this.touched];
  }

  /** Undefined for one that is not locked. */
  get(tenantId: string, id: string): LockedSession | undefined {
    return this.entries.get(placeOf({ tenantId, id }));
  }

  touch(entry: LockedSession): void {
    this.touched.add(entry);
  }

  /** Those of them that the session descends from, its parent first. */
  above({ tenantId, lineage }: Session): LockedSession[] {
    return lineage.flatMap((id) => this.get(tenantId, id) ?? []).reverse();
  }

  /** Those of them that descend from the session and live, the deepest first, so that what they leave has come to their parents. */
  livingBelow({ tenantId, id }: Session, now: Date): LockedSession[] {
    return deepestFirst(
      [...this.entries.values()].filter(
        ({ session, isOver }) =>
          !isOver && session.tenantId === tenantId && session.lineage.includes(id) && session.expiresAt > now,
      ),
    );
  }

  /** Holds what a new session may spend. Its parent has as much left, see `keepWithinParent`. */
  add(child: Session): void {
    const [parent, ...others] = this.above(child);
    if (!parent) throw new Error('a session is opened from one that is locked');
    if (parent.session.spendLimit !== null)
      parent.session.delegated = sum(parent.session.delegated, child.spendLimit ?? 0n);
    for (const entry of [parent, ...others]) {
      entry.session.descendants += 1;
      this.touch(entry);
    }
  }

  /** The session is over, once: what is left of its limit is its parent's again. */
  close(entry: LockedSession): void {
    if (entry.isOver) throw new Error('a session ends once');
    entry.isOver = true;
    if (!entry.isIntact) return;
    for (const above of this.above(entry.session)) {
      above.session.descendants = Math.max(0, above.session.descendants - 1);
      this.touch(above);
    }
    this.giveBack(entry, entry.session.remainingBudget() ?? (0n as MicroUsd));
  }

  /** Something that was used up in a session is free: of one that is over, that is its parent's. */
  setFree(entry: LockedSession, amount: MicroUsd): void {
    if (entry.isOver && entry.isIntact) this.giveBack(entry, amount);
  }

  private giveBack({ session: { tenantId, parentId } }: LockedSession, amount: MicroUsd): void {
    const parent = parentId === null ? undefined : this.get(tenantId, parentId);
    if (!parent || parent.session.spendLimit === null || amount === 0n) return;
    const { session } = parent;
    // Less than that is held in a row that was edited in the database.
    session.delegated = (session.delegated > amount ? session.delegated - amount : 0n) as MicroUsd;
    this.touch(parent);
    this.setFree(parent, amount);
  }
}

/** In the order in which sessions are to be closed. */
export function deepestFirst(entries: readonly LockedSession[]): LockedSession[] {
  return entries.toSorted((a, b) => b.session.lineage.length - a.session.lineage.length);
}

function sum(a: bigint, b: bigint): MicroUsd {
  return (a + b) as MicroUsd;
}

function placeOf({ tenantId, id }: Pick<Session, 'tenantId' | 'id'>): string {
  return `${tenantId} ${id}`;
}

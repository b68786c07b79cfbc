import { Injectable } from '@nestjs/common';
import { type Actor, Clock } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { keepWithinParent } from './delegation.js';
import { SessionInvalid } from './gate.errors.js';
import { type LockedSession, LockedSessionRepository } from './locked-session.repository.js';
import { deepestFirst, SessionTree } from './session-tree.js';
import { type Session } from './session.entity.js';
import { type SessionKey, SessionRepository } from './session.repository.js';

/** What a session is opened from. */
export interface Parent {
  id: string;
  /** Whether the new one ends with it, where that is sooner: no time to live was asked for. */
  mayEndSooner: boolean;
}

/** A session that was ended, with all that descend from it. */
export interface EndedBranch {
  session: Session;
  /** Whether an agent key opened it. */
  isOpenedByAgentKey: boolean;
  /** Those that lived, the deepest first. */
  descendants: Session[];
}

/**
 * Sessions that are opened from others, and what becomes of a tree when one is over. Ends are written into each row, so that whether a
 * session lives is said by its own row alone, on every process. Locks: of the tree for whoever adds to it or revokes of it, then rows, all
 * of them by one statement in the order of all statements.
 */
@Injectable()
export class Delegations {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly locked: LockedSessionRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a new session, which is not written yet, one of the parent's, and holds what it may spend of the parent's.
   *
   * @throws SessionInvalid unless the parent lives and the actor may act through it; what `keepWithinParent` throws
   */
  async join(tx: Tx, { agent }: Actor, session: Session, { id, mayEndSooner }: Parent): Promise<void> {
    const { tenantId } = session;
    const key = { tenantId, sessionId: id };
    const locked = this.locked.in(tx);
    await locked.holdTree(key);
    const tree = new SessionTree(await locked.lockLineages([key]));
    const parent = tree.get(tenantId, id);
    if (!parent || (agent && parent.session.agentId !== agent.agentId)) throw new SessionInvalid();
    const above = tree.above(parent.session);
    const now = this.clock.now();
    const isWhole = above.length === parent.session.lineage.length;
    if (!isWhole || ![parent, ...above].every((entry) => lives(entry, now))) throw new SessionInvalid();
    const lineage = above.map((entry) => entry.session).reverse();
    keepWithinParent(session, parent.session, lineage, mayEndSooner);
    tree.add(session);
    locked.save(tree.changed);
  }

  /**
   * Ends a live session, of one agent if one is named, and all that descend from it; null when the tenant has no such live one.
   * What is left of its limit is its parent's again.
   */
  async revoke(tx: Tx, key: SessionKey, agentId: string | null): Promise<EndedBranch | null> {
    const locked = this.locked.in(tx);
    await locked.holdTree(key);
    const tree = new SessionTree(await locked.lockBranch(key));
    const now = this.clock.now();
    const top = tree.get(key.tenantId, key.sessionId);
    if (!top || top.isOver || top.session.expiresAt <= now) return null;
    if (agentId !== null && top.session.agentId !== agentId) return null;
    const below = tree.livingBelow(top.session, now);
    for (const entry of [...below, top]) tree.close(entry);
    locked.end([...below, top], 'revoked', now);
    locked.save(tree.changed);
    const isOpenedByAgentKey = [top, ...below].some(({ standings }) => standings.length > 0);
    return { session: top.session, isOpenedByAgentKey, descendants: below.map((entry) => entry.session) };
  }

  /** Notes up to `limit` sessions of any tenant that were opened from others and whose time is up, once for each. */
  async expire(tx: Tx, limit: number): Promise<Session[]> {
    const now = this.clock.now();
    const due = await this.sessions.in(tx).dueWithParents(now, limit);
    if (due.length === 0) return [];
    const locked = this.locked.in(tx);
    const tree = new SessionTree(await locked.lockLineages(due));
    const over = deepestFirst(
      due
        .flatMap(({ tenantId, sessionId }) => tree.get(tenantId, sessionId) ?? [])
        // Somebody else may have been faster.
        .filter(({ isOver }) => !isOver),
    );
    for (const entry of over) tree.close(entry);
    locked.end(over, 'expired', now);
    locked.save(tree.changed);
    return over.map(({ session }) => session);
  }
}

function lives({ session, isOver }: LockedSession, now: Date): boolean {
  return !isOver && session.isValidAt(now);
}

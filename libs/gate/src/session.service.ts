import { Injectable } from '@nestjs/common';
import {
  type Actor,
  type AgentGrant,
  Batcher,
  type CatalogueKind,
  Clock,
  type MicroUsd,
  newId,
  toDollars,
} from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { isDataFailure, Transactions, type Tx } from '@haldir/database';
import { AgentFreezeRepository } from './agent-freeze.repository.js';
import { AgentFreezes } from './agent-freezes.js';
import { Delegations, type Parent } from './delegations.js';
import { AgentFrozen, SessionBeyondCeiling, SessionInvalid, SessionNotFound } from './gate.errors.js';
import { holdsScope, parseScopes } from './session-scopes.js';
import { Session } from './session.entity.js';
import { type SessionFilter, SessionRepository } from './session.repository.js';

export interface NewSession {
  agentId: string;
  /** As requested; `spend:N` among them sets the budget unless `spendLimit` does. */
  scopes: readonly string[];
  ttlSeconds: number;
  /** Null means none was asked for. */
  spendLimit: MicroUsd | null;
  catalogue: CatalogueKind;
  /** Null for one that is opened from none. */
  parent: Parent | null;
}

interface Opening {
  actor: Actor;
  session: Session;
}

/** Random characters of 5 bits each: a session id is a credential of 130 bits. */
const SESSION_ID_LENGTH = 26;

@Injectable()
export class SessionService {
  /** One transaction for all sessions that are opened while the one before commits. */
  private readonly opener: Batcher<Opening, Session>;

  constructor(
    private readonly sessions: SessionRepository,
    private readonly frozen: AgentFreezeRepository,
    private readonly freezes: AgentFreezes,
    private readonly delegations: Delegations,
    private readonly auditLog: AuditLog,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {
    this.opener = new Batcher<Opening, Session>({
      maxBatch: 256,
      maxInFlight: 1,
      maxQueued: 4096,
      splitOn: isDataFailure,
      run: (openings) =>
        transactions.run(
          openings.map(({ actor }) => actor.tenantId),
          async (tx) => {
            const isFrozen = await this.frozen.in(tx).among(openings.map(({ session }) => session));
            return openings.map(({ actor, session }, i) =>
              isFrozen[i] ? new AgentFrozen() : this.insert(tx, actor, session),
            );
          },
        ),
    });
  }

  /**
   * Opens a session, together with others that arrive meanwhile unless it is opened from another, and returns once it is durable.
   *
   * @throws InvalidInput for a `spend:N` that is not an amount; SessionBeyondCeiling, AgentFrozen; what `Delegations.join` throws
   */
  async open(actor: Actor, wanted: NewSession): Promise<Session> {
    if (wanted.parent) return this.transactions.run(actor.tenantId, (tx) => this.openIn(tx, actor, wanted));
    return this.opener.submit({ actor, session: this.prepare(actor, wanted) });
  }

  /** The same, as part of a transaction. */
  async openIn(tx: Tx, actor: Actor, wanted: NewSession): Promise<Session> {
    const session = this.prepare(actor, wanted);
    const [isFrozen] = await this.frozen.in(tx).among([session]);
    if (isFrozen) throw new AgentFrozen();
    if (wanted.parent) await this.delegations.join(tx, actor, session, wanted.parent);
    return this.insert(tx, actor, session);
  }

  private prepare({ tenantId, id: openedKey, agent }: Actor, wanted: NewSession): Session {
    const now = this.clock.now();
    const { scopes, budget } = parseScopes(wanted.scopes);
    const spendLimit = wanted.spendLimit ?? budget;
    if (agent) keepWithin(agent, { ...wanted, scopes, spendLimit });
    return Object.assign(new Session(), {
      tenantId,
      id: newId('ses', SESSION_ID_LENGTH),
      agentId: wanted.agentId,
      scopes,
      spendLimit,
      spent: 0n as MicroUsd,
      held: 0n as MicroUsd,
      delegated: 0n as MicroUsd,
      lineage: [],
      descendants: 0,
      catalogue: wanted.catalogue,
      openedKey,
      createdAt: now,
      expiresAt: new Date(now.getTime() + wanted.ttlSeconds * 1000),
      revokedAt: null,
    });
  }

  private insert(tx: Tx, actor: Actor, session: Session): Session {
    const {
      id: sessionId,
      parentId,
      agentId,
      scopes,
      spendLimit,
      catalogue,
      openedKey,
      createdAt,
      expiresAt,
    } = session;
    this.sessions.in(tx).insert(session);
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      sessionId,
      agentId,
      tool: 'haldir.gate',
      action: 'session_created',
      details: {
        scopes,
        ttl: (expiresAt.getTime() - createdAt.getTime()) / 1000,
        spend_limit: spendLimit === null ? null : toDollars(spendLimit),
        ...(catalogue === 'full' ? {} : { catalogue }),
        ...(parentId === null ? {} : { parent_session_id: parentId }),
        by: openedKey,
      },
    });
    return session;
  }

  /**
   * The session while it is live and the actor may act through it, else null: unknown, expired, revoked, frozen, another
   * tenant's and, for an agent, another agent's look alike. It grants what the actor's ceiling grants as well.
   */
  async findLive({ tenantId, agent }: Actor, sessionId: string): Promise<Session | null> {
    const session = await this.sessions.find(tenantId, sessionId);
    if (!session?.isValidAt(this.clock.now())) return null;
    if (agent && session.agentId !== agent.agentId) return null;
    session.ceiling = agent;
    return session;
  }

  /** The id of the principal that opened a session, dead or alive; null when that is not known. */
  async openedKey(tenantId: string, sessionId: string): Promise<string | null> {
    return (await this.sessions.find(tenantId, sessionId))?.openedKey ?? null;
  }

  /** How a session, dead or alive, is shown tools; the whole list where it is not known. */
  async catalogueOf(tenantId: string, sessionId: string): Promise<CatalogueKind> {
    return (await this.sessions.find(tenantId, sessionId))?.catalogue ?? 'full';
  }

  /** @throws SessionNotFound unless the session is live */
  async get(actor: Actor, sessionId: string): Promise<Session> {
    const session = await this.findLive(actor, sessionId);
    if (!session) throw new SessionNotFound();
    return session;
  }

  /**
   * The session that a request acts through.
   *
   * @throws SessionInvalid unless the session is live
   */
  async authenticate(actor: Actor, sessionId: string): Promise<Session> {
    const session = await this.findLive(actor, sessionId);
    if (!session) throw new SessionInvalid();
    return session;
  }

  /** Whether the session is live and holds the scope. */
  async holds(actor: Actor, sessionId: string, scope: string): Promise<boolean> {
    return (await this.findLive(actor, sessionId))?.grants(scope) ?? false;
  }

  /**
   * Ends the session and all that descend from it: the next request anywhere sees it. An agent whose key opened it is stopped by whoever
   * else ends it, since its next request would open another.
   *
   * @throws SessionNotFound unless the session is live, and the agent's own if an agent asks
   */
  async revoke(tx: Tx, actor: Actor, sessionId: string): Promise<void> {
    const { tenantId, agent } = actor;
    const ended = await this.delegations.revoke(tx, { tenantId, sessionId }, agent?.agentId ?? null);
    if (!ended) throw new SessionNotFound();
    for (const session of [...ended.descendants, ended.session]) {
      this.auditLog.record(tx, actor, {
        source: 'haldir',
        sessionId: session.id,
        agentId: session.agentId,
        tool: 'haldir.gate',
        action: 'session_revoked',
        details: { by: actor.id, ...(session === ended.session ? {} : { with: sessionId }) },
      });
    }
    if (agent || !ended.isOpenedByAgentKey) return;
    await this.freezes.freeze(tx, actor, ended.session.agentId, 'session_revoked');
  }

  /** Live sessions of each of the agents, by agent; one without any is left out. */
  countActiveOfAgents(tenantId: string, agentIds: readonly string[]): Promise<Map<string, number>> {
    return this.sessions.countActiveOfAgents(tenantId, agentIds, this.clock.now());
  }

  /** Sessions of the tenant that are live now. */
  countActive(tenantId: string): Promise<number> {
    return this.sessions.countActive(tenantId, this.clock.now());
  }

  list(tenantId: string, filter: SessionFilter, limit: number, before: string | null): Promise<Session[]> {
    return this.sessions.list(tenantId, filter, this.clock.now(), limit, before);
  }
}

/** @throws SessionBeyondCeiling that names what is too much */
function keepWithin(grant: AgentGrant, { agentId, scopes, ttlSeconds, spendLimit }: NewSession): void {
  if (agentId !== grant.agentId) throw new SessionBeyondCeiling('agent_id', 'sessions of its own agent only');
  if (!scopes.every((scope) => holdsScope(grant.scopes, scope)))
    throw new SessionBeyondCeiling('scopes', `some of ${grant.scopes.join(', ')}`);
  if (ttlSeconds > grant.ttlSeconds) throw new SessionBeyondCeiling('ttl', `at most ${grant.ttlSeconds} seconds`);
  if (spendLimit !== null && spendLimit > grant.spendLimit)
    throw new SessionBeyondCeiling('spend_limit', `at most ${toDollars(grant.spendLimit)} USD`);
}

import { Inject, Injectable } from '@nestjs/common';
import { type Actor, Batcher, Clock, type MicroUsd, newId, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { isDataFailure, Transactions, type Tx } from '@haldir/database';
import { SessionInvalid, SessionNotFound } from './gate.errors.js';
import { parseScopes } from './session-scopes.js';
import { Session } from './session.entity.js';
import { type SessionFilter, SessionRepository } from './session.repository.js';

export interface NewSession {
  agentId: string;
  /** As requested; `spend:N` among them sets the budget unless `spendLimit` does. */
  scopes: string[];
  ttlSeconds: number;
  /** Null means none was asked for. */
  spendLimit: MicroUsd | null;
}

/** Random characters of 5 bits each: a session id is a credential of 130 bits. */
const SESSION_ID_LENGTH = 26;

@Injectable()
export class SessionService {
  /** One transaction for all sessions that are opened while the one before commits. */
  private readonly opener: Batcher<Session, Session>;

  constructor(
    @Inject(SessionRepository) private readonly sessions: SessionRepository,
    @Inject(AuditLog) private readonly auditLog: AuditLog,
    @Inject(Transactions) transactions: Transactions,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    this.opener = new Batcher({
      maxBatch: 256,
      maxInFlight: 1,
      maxQueued: 4096,
      splitOn: isDataFailure,
      run: (sessions) =>
        transactions.run(
          sessions.map(({ tenantId }) => tenantId),
          async (tx) => {
            for (const session of sessions) this.insert(tx, session);
            return sessions;
          },
        ),
    });
  }

  /**
   * Opens a session, together with others that arrive meanwhile, and returns once it is durable.
   *
   * @throws InvalidInput for a `spend:N` that is not an amount
   */
  async open(actor: Actor, wanted: NewSession): Promise<Session> {
    return this.opener.submit(this.prepare(actor, wanted));
  }

  /** The same, as part of a transaction. */
  openIn(tx: Tx, actor: Actor, wanted: NewSession): Session {
    const session = this.prepare(actor, wanted);
    this.insert(tx, session);
    return session;
  }

  private prepare({ tenantId, id: openedKey }: Actor, wanted: NewSession): Session {
    const now = this.clock.now();
    const { scopes, budget } = parseScopes(wanted.scopes);
    return Object.assign(new Session(), {
      tenantId,
      id: newId('ses', SESSION_ID_LENGTH),
      agentId: wanted.agentId,
      scopes,
      spendLimit: wanted.spendLimit ?? budget,
      spent: 0n as MicroUsd,
      held: 0n as MicroUsd,
      openedKey,
      createdAt: now,
      expiresAt: new Date(now.getTime() + wanted.ttlSeconds * 1000),
      revokedAt: null,
    });
  }

  private insert(tx: Tx, session: Session): void {
    const { tenantId, id: sessionId, agentId, scopes, spendLimit, openedKey, createdAt, expiresAt } = session;
    this.sessions.in(tx).insert(session);
    this.auditLog.record(tx, tenantId, {
      source: 'haldir',
      sessionId,
      agentId,
      tool: 'haldir.gate',
      action: 'session_created',
      details: {
        scopes,
        ttl: (expiresAt.getTime() - createdAt.getTime()) / 1000,
        spend_limit: spendLimit === null ? null : toDollars(spendLimit),
        by: openedKey,
      },
    });
  }

  /** The session while it is live, else null: unknown, expired, revoked and another tenant's look alike. */
  async findLive({ tenantId }: Actor, sessionId: string): Promise<Session | null> {
    const session = await this.sessions.find(tenantId, sessionId);
    return session?.isValidAt(this.clock.now()) ? session : null;
  }

  /** The id of the principal that opened a session, dead or alive; null when that is not known. */
  async openedKey(tenantId: string, sessionId: string): Promise<string | null> {
    return (await this.sessions.find(tenantId, sessionId))?.openedKey ?? null;
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
   * Ends the session: the next request anywhere sees it.
   *
   * @throws SessionNotFound unless the session is live
   */
  async revoke(tx: Tx, { tenantId, id: by }: Actor, sessionId: string): Promise<void> {
    const revoked = await this.sessions.in(tx).revoke(tenantId, sessionId, this.clock.now());
    if (!revoked) throw new SessionNotFound();
    this.auditLog.record(tx, tenantId, {
      source: 'haldir',
      sessionId,
      agentId: revoked.agentId,
      tool: 'haldir.gate',
      action: 'session_revoked',
      details: { by },
    });
  }

  /** Sessions of the tenant that are live now. */
  countActive(tenantId: string): Promise<number> {
    return this.sessions.countActive(tenantId, this.clock.now());
  }

  list(tenantId: string, filter: SessionFilter, limit: number, before: string | null): Promise<Session[]> {
    return this.sessions.list(tenantId, filter, this.clock.now(), limit, before);
  }
}

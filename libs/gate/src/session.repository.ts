import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { GrantSeal } from '@haldir/crypto';
import { type Collector, Transactions, type Tx } from '@haldir/database';
import { EVERY_AGENT } from './agent-freeze.repository.js';
import { type StandingBudget } from './budget.js';
import { KEY_GRANT, keyGrant, SESSION_GRANT, sessionGrant } from './grants.js';
import { type LockedRow, type SessionRow, standingOf, toOpeningKey, toSession } from './session-row.js';
import { Session, type SessionStatus } from './session.entity.js';

export interface SessionKey {
  tenantId: string;
  sessionId: string;
}

export interface SessionFilter {
  agentId?: string | undefined;
  status?: SessionStatus | undefined;
  /** The id of a principal. */
  openedBy?: string | undefined;
}

const COLUMNS =
  's.tenant_id, s.id, s.agent_id, s.scopes, s.spend_limit_micros, s.spent_micros, s.held_micros, s.opened_key, s.created_at, s.expires_at, s.revoked_at, s.mac';

// Few agents are ever stopped, so there is next to nothing to look through.
const FROZEN = `EXISTS (SELECT FROM agent_freeze f WHERE f.tenant_id = s.tenant_id AND f.agent_id IN (s.agent_id, '${EVERY_AGENT}')) AS frozen`;

const byKeys = {
  name: 'session.by_keys.v5',
  text: `SELECT ${COLUMNS}, ${FROZEN} FROM unnest($1::text[], $2::text[]) AS w(tenant_id, id)
           JOIN session s ON s.tenant_id = w.tenant_id AND s.id = w.id`,
};
// With the key that opened it: on the standing budget of an agent key every payment in its sessions is drawn.
const lockByKeys = {
  name: 'session.lock_by_keys.v6',
  text: `SELECT ${COLUMNS}, ${FROZEN}, s.budget_announced_at, s.threshold, k.public_id, k.principal_id, k.tier, k.scopes AS key_scopes, k.hash,
                k.expires_at AS key_expires_at, k.mac AS key_mac, t.tier AS tenant_tier, t.is_operator, k.agent_id AS key_agent_id, k.agent_scopes,
                k.agent_ttl_seconds, k.agent_spend_limit_micros, k.agent_spend_period, k.agent_upstreams
           FROM session s
           JOIN tenant t ON t.id = s.tenant_id
           LEFT JOIN api_key k ON k.tenant_id = s.tenant_id AND k.public_id = substr(s.opened_key, 5)
          WHERE (s.tenant_id, s.id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
          ORDER BY s.tenant_id, s.id FOR UPDATE OF s`,
};
const saveBudgets = {
  name: 'session.save_budgets.v1',
  text: `UPDATE session s SET spent_micros = w.spent, held_micros = w.held, budget_announced_at = w.announced_at, threshold = w.threshold
           FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::integer[])
                AS w(tenant_id, id, spent, held, announced_at, threshold)
          WHERE s.tenant_id = w.tenant_id AND s.id = w.id`,
};

// Scopes come as JSON, because an array of arrays would have to be rectangular.
const insert = {
  name: 'session.insert.v3',
  text: `INSERT INTO session (tenant_id, id, agent_id, scopes, spend_limit_micros, opened_key, created_at, expires_at, mac)
           SELECT tenant_id, id, agent_id, ARRAY(SELECT json_array_elements_text(scopes)), spend_limit, opened_key, created_at, expires_at, mac
             FROM unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::bigint[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::bytea[])
                  AS w(tenant_id, id, agent_id, scopes, spend_limit, opened_key, created_at, expires_at, mac)`,
};

const opened: Collector<{ session: Session; mac: Buffer }> = {
  rank: 30,
  async flush(tx, rows) {
    const sessions = rows.map(({ session }) => session);
    await tx.query(insert, [
      sessions.map(({ tenantId }) => tenantId),
      sessions.map(({ id }) => id),
      sessions.map(({ agentId }) => agentId),
      sessions.map(({ scopes }) => JSON.stringify(scopes)),
      sessions.map(({ spendLimit }) => spendLimit?.toString() ?? null),
      sessions.map(({ openedKey }) => openedKey),
      sessions.map(({ createdAt }) => createdAt),
      sessions.map(({ expiresAt }) => expiresAt),
      rows.map(({ mac }) => mac),
    ]);
  },
};

const countActive = {
  name: 'session.count_active.v1',
  text: `SELECT count(*)::float8 AS sessions FROM session
          WHERE tenant_id = $1 AND revoked_at IS NULL AND expiry_announced_at IS NULL AND expires_at > $2`,
};

const countActiveOfAgents = {
  name: 'session.count_active_of_agents.v1',
  text: `SELECT agent_id, count(*)::float8 AS sessions FROM session
          WHERE tenant_id = $1 AND agent_id = ANY ($3::text[]) AND revoked_at IS NULL AND expiry_announced_at IS NULL AND expires_at > $2
          GROUP BY agent_id`,
};

/** A session whose row is locked until the transaction ends. */
export interface LockedSession {
  session: Session;
  /** When an exhausted budget was last announced. */
  announcedAt: Date | null;
  /** The highest share of the limit, in percent, that was announced. */
  threshold: number;
  /** Of the agent key that opened it; null for a session that none did. */
  standing: StandingBudget | null;
}

@Injectable()
export class SessionRepository {
  private readonly loader = new Batcher<SessionKey, Session | null>({
    maxBatch: 512,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (keys) => this.load(keys),
  });

  constructor(
    private readonly transactions: Transactions,
    private readonly seal: GrantSeal,
  ) {}

  /**
   * Look-ups that arrive together share one query, sent after the last of them arrived. One whose grant was edited in the
   * database is no session.
   */
  find(tenantId: string, sessionId: string): Promise<Session | null> {
    return this.loader.submit({ tenantId, sessionId });
  }

  /** Up to `limit` of the tenant's sessions, newest first, behind the one with id `before`. */
  list(tenantId: string, filter: SessionFilter, now: Date, limit: number, before: string | null): Promise<Session[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(Session, 's')
        .where('s.tenantId = :tenantId', { tenantId })
        .orderBy('s.id', 'DESC')
        .limit(limit);
      if (filter.agentId !== undefined) query.andWhere('s.agentId = :agentId', filter);
      if (filter.openedBy !== undefined) query.andWhere('s.openedKey = :openedBy', filter);
      if (filter.status === 'revoked') query.andWhere('s.revokedAt IS NOT NULL');
      if (filter.status === 'active') query.andWhere('s.revokedAt IS NULL AND s.expiresAt > :now', { now });
      if (filter.status === 'expired') query.andWhere('s.revokedAt IS NULL AND s.expiresAt <= :now', { now });
      if (before !== null) query.andWhere('s.id < :before', { before });
      return query.getMany();
    });
  }

  async countActive(tenantId: string, now: Date): Promise<number> {
    return (await this.transactions.query<{ sessions: number }>(countActive, [tenantId, now]))[0]?.sessions ?? 0;
  }

  /** Live sessions of each of the agents, by agent; one without any is left out. */
  async countActiveOfAgents(tenantId: string, agentIds: readonly string[], now: Date): Promise<Map<string, number>> {
    const rows = await this.transactions.query<{ agent_id: string; sessions: number }>(countActiveOfAgents, [
      tenantId,
      now,
      agentIds,
    ]);
    return new Map(rows.map((row) => [row.agent_id, row.sessions]));
  }

  in(tx: Tx) {
    return {
      /** Written just before commit, with nothing spent or held. */
      insert: (session: Session): void =>
        tx.collect(opened, { session, mac: this.seal.macOf(SESSION_GRANT, sessionGrant(session)) }),
      /** Ends a live session, of one agent if one is named; null when the tenant has no such live one. */
      revoke: async (
        tenantId: string,
        sessionId: string,
        agentId: string | null,
        now: Date,
      ): Promise<{ agentId: string; openedByAgent: boolean } | null> => {
        const [row] = await tx.query<{ agent_id: string; opened_by_agent: boolean }>(
          `UPDATE session s SET revoked_at = $4
            WHERE tenant_id = $1 AND id = $2 AND ($3::text IS NULL OR agent_id = $3) AND revoked_at IS NULL AND expires_at > $4
           RETURNING agent_id, EXISTS (SELECT FROM api_key k WHERE k.tenant_id = s.tenant_id AND k.public_id = substr(s.opened_key, 5)
                                                               AND k.kind = 'agent') AS opened_by_agent`,
          [tenantId, sessionId, agentId, now],
        );
        return row ? { agentId: row.agent_id, openedByAgent: row.opened_by_agent } : null;
      },
      /**
       * Locks the rows in one order everywhere, so that concurrent spends queue up and never deadlock. One whose grant was edited
       * in the database, or that of the key that opened it, is as good as revoked; what it holds can still be set free.
       */
      lock: async (keys: SessionKey[]): Promise<LockedSession[]> => {
        const rows = await tx.query<LockedRow>(lockByKeys, unzip(keys));
        return rows.map((row) => ({
          session: this.orRevoked(row),
          announcedAt: row.budget_announced_at,
          threshold: row.threshold,
          standing: standingOf(row),
        }));
      },
      /** Writes the budgets of locked sessions; does not wait for the answer. */
      saveBudgets: (changed: LockedSession[]): void => {
        tx.send(saveBudgets, [
          changed.map(({ session }) => session.tenantId),
          changed.map(({ session }) => session.id),
          changed.map(({ session }) => session.spent.toString()),
          changed.map(({ session }) => session.held.toString()),
          changed.map(({ announcedAt }) => announcedAt),
          changed.map(({ threshold }) => threshold),
        ]);
      },
    };
  }

  private isIntact(session: Session, mac: Buffer | null): boolean {
    const { tenantId, id } = session;
    return this.seal.isIntact(SESSION_GRANT, sessionGrant(session), { tenantId, id, mac });
  }

  /** As the row has it; one whose grant, or that of the key that opened it, was edited is as good as revoked. */
  private orRevoked(row: LockedRow): Session {
    const session = toSession(row);
    if (!this.isIntact(session, row.mac) || !this.isOpenedByIntactKey(row)) session.revokedAt ??= session.createdAt;
    return session;
  }

  private isOpenedByIntactKey(row: LockedRow): boolean {
    if (row.opened_key === null) return true;
    const { tenant_id: tenantId, opened_key: id, key_mac: mac } = row;
    const key = toOpeningKey(row);
    return key !== null && this.seal.isIntact(KEY_GRANT, keyGrant(key), { tenantId, id, mac });
  }

  private async load(keys: SessionKey[]): Promise<(Session | null)[]> {
    const rows = await this.transactions.query<SessionRow>(byKeys, unzip(keys));
    const found = new Map(rows.map((row) => [`${row.tenant_id} ${row.id}`, row]));
    return keys.map(({ tenantId, sessionId }) => {
      const row = found.get(`${tenantId} ${sessionId}`);
      if (!row) return null;
      const session = toSession(row);
      return this.isIntact(session, row.mac) ? session : null;
    });
  }
}

/** The distinct keys, as two arrays. */
function unzip(keys: SessionKey[]): [string[], string[]] {
  const distinct = new Map(keys.map((key) => [`${key.tenantId} ${key.sessionId}`, key]));
  return [
    [...distinct.values()].map(({ tenantId }) => tenantId),
    [...distinct.values()].map(({ sessionId }) => sessionId),
  ];
}

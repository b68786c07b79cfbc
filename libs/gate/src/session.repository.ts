import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { GrantSeal } from '@haldir/crypto';
import { type Collector, columnsOf, Transactions, type Tx } from '@haldir/database';
import { type EntityManager, IsNull, MoreThan, type SelectQueryBuilder } from 'typeorm';
import { EVERY_AGENT } from './agent-freeze.entity.js';
import { publicIdOfPrefix } from './api-key-format.js';
import { ApiKey } from './api-key.entity.js';
import { type StandingBudget } from './budget.js';
import { KEY_GRANT, keyGrant, SESSION_GRANT, sessionGrant } from './grants.js';
import { GRANTING_COLUMNS, type KeyTenantRow, toKeyGrant } from './key-grant-row.js';
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

/** Of principals that are people. */
const PERSON_PREFIX = 'prs_';

const SESSION = columnsOf(Session).with('mac');
const LOCKED = SESSION.with('budgetAnnouncedAt', 'threshold');
const OPENING_KEY = GRANTING_COLUMNS.prefixed('key_');
const ENDED = SESSION.only('agentId', 'openedKey');
const EXPIRED = SESSION.only('tenantId', 'id', 'agentId');

// Few agents are ever stopped, so there is next to nothing to look through.
const FROZEN = `EXISTS (SELECT FROM agent_freeze f WHERE f.tenant_id = s.tenant_id AND f.agent_id IN (s.agent_id, '${EVERY_AGENT}')) AS frozen`;

const byKeys = {
  name: 'session.by_keys.v7',
  text: `SELECT ${SESSION.of('s')}, ${FROZEN} FROM unnest($1::text[], $2::text[]) AS w(tenant_id, id)
           JOIN session s ON s.tenant_id = w.tenant_id AND s.id = w.id`,
};
// With the key that opened it: on the standing budget of an agent key every payment in its sessions is drawn.
const lockByKeys = {
  name: 'session.lock_by_keys.v8',
  text: `SELECT ${LOCKED.of('s')}, ${FROZEN}, ${OPENING_KEY.of('k')}, t.tier AS tenant_tier, t.is_operator
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
  name: 'session.insert.v4',
  text: `INSERT INTO session (tenant_id, id, agent_id, scopes, spend_limit_micros, opened_key, created_at, expires_at, mac, catalogue)
           SELECT tenant_id, id, agent_id, ARRAY(SELECT json_array_elements_text(scopes)), spend_limit, opened_key, created_at, expires_at, mac, catalogue
             FROM unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::bigint[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::bytea[], $10::text[])
                  AS w(tenant_id, id, agent_id, scopes, spend_limit, opened_key, created_at, expires_at, mac, catalogue)`,
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
      sessions.map(({ catalogue }) => catalogue),
    ]);
  },
};

const takeExpired = `
  UPDATE session s SET expiry_announced_at = $1
    FROM (SELECT tenant_id, id FROM session
           WHERE revoked_at IS NULL AND expiry_announced_at IS NULL AND expires_at <= $1
           ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
   WHERE s.tenant_id = due.tenant_id AND s.id = due.id
  RETURNING ${EXPIRED.of('s')}`;

interface SessionRow {
  tenant_id: string;
  id: string;
  frozen: boolean;
}

/** Without the key that opened it, all of that is null. */
interface LockedRow extends KeyTenantRow {
  frozen: boolean;
  key_public_id: string | null;
}

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
   * Look-ups that arrive together share one query, sent after the last of them arrived, and no session: each gets its own. One whose grant was edited in the
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

  countActive(tenantId: string, now: Date): Promise<number> {
    return this.transactions.read(tenantId, (manager) => liveOf(manager, tenantId, now).getCount());
  }

  /** Live sessions of each of the agents, by agent; one without any is left out. */
  async countActiveOfAgents(tenantId: string, agentIds: readonly string[], now: Date): Promise<Map<string, number>> {
    const rows = await this.transactions.read(tenantId, (manager) =>
      liveOf(manager, tenantId, now)
        .select('s.agentId', 'agentId')
        .addSelect('count(*)::float8', 'sessions')
        .andWhere('s.agentId = ANY (:agentIds)', { agentIds })
        .groupBy('s.agentId')
        .getRawMany<{ agentId: string; sessions: number }>(),
    );
    return new Map(rows.map(({ agentId, sessions }) => [agentId, sessions]));
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
        const { raw } = (await tx.manager
          .createQueryBuilder()
          .update(Session)
          .set({ revokedAt: now })
          .where({ tenantId, id: sessionId, revokedAt: IsNull(), expiresAt: MoreThan(now) })
          .andWhere(agentId === null ? {} : { agentId })
          .returning(ENDED.list)
          .execute()) as { raw: object[] };
        if (!raw[0]) return null;
        const { agentId: whose, openedKey } = ENDED.toEntity(raw[0]);
        const publicId = openedKey && publicIdOfPrefix(openedKey);
        const openedByAgent =
          publicId !== null && (await tx.manager.existsBy(ApiKey, { tenantId, publicId, kind: 'agent' }));
        return { agentId: whose, openedByAgent };
      },
      /**
       * Locks the rows in one order everywhere, so that concurrent spends queue up and never deadlock. One whose grant was edited
       * in the database, or that of the key that opened it, is as good as revoked; what it holds can still be set free.
       */
      lock: async (keys: SessionKey[]): Promise<LockedSession[]> => {
        const rows = await tx.query<LockedRow>(lockByKeys, unzip(keys));
        return rows.map((row) => this.toLocked(row));
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
      /** Up to `limit` sessions of any tenant that have ended by themselves, and were not noted; from now on they are. */
      takeExpired: async (now: Date, limit: number): Promise<Pick<Session, 'tenantId' | 'id' | 'agentId'>[]> =>
        (await tx.query(takeExpired, [now, limit])).map((row) => EXPIRED.toEntity(row)),
    };
  }

  private isIntact(session: Session): boolean {
    const { tenantId, id, mac } = session;
    return this.seal.isIntact(SESSION_GRANT, sessionGrant(session), { tenantId, id, mac });
  }

  /** As the row has it; one whose grant, or that of the key that opened it, was edited is as good as revoked. */
  private toLocked(row: LockedRow): LockedSession {
    const session = Object.assign(LOCKED.toEntity(row), { isFrozen: row.frozen });
    const key = row.key_public_id === null ? null : OPENING_KEY.toEntity(row);
    const isOpenedByIntactKey =
      session.openedKey === null ||
      // By a person, as the session's own MAC says: there is no key, and no standing budget.
      session.openedKey.startsWith(PERSON_PREFIX) ||
      (key !== null &&
        this.seal.isIntact(KEY_GRANT, keyGrant(toKeyGrant(key, row)), {
          ...{ tenantId: session.tenantId, id: session.openedKey, mac: key.mac },
        }));
    if (!this.isIntact(session) || !isOpenedByIntactKey) session.revokedAt ??= session.createdAt;
    const { budgetAnnouncedAt: announcedAt, threshold } = session;
    return { session, announcedAt, threshold, standing: key && standingOf(session, key) };
  }

  private async load(keys: SessionKey[]): Promise<(Session | null)[]> {
    const rows = await this.transactions.query<SessionRow>(byKeys, unzip(keys));
    const found = new Map(rows.map((row) => [`${row.tenant_id} ${row.id}`, row]));
    return keys.map(({ tenantId, sessionId }) => {
      const row = found.get(`${tenantId} ${sessionId}`);
      // One for each who asks: what it grants is bounded by the key of that one.
      const session = row && Object.assign(SESSION.toEntity(row), { isFrozen: row.frozen });
      return session && this.isIntact(session) ? session : null;
    });
  }
}

/** The standing budget of the agent key that opened it; null for a key that is no agent's. */
function standingOf(
  { openedKey: keyId }: Session,
  key: Pick<ApiKey, 'agentSpendLimit' | 'agentSpendPeriod'>,
): StandingBudget | null {
  const { agentSpendLimit: limit, agentSpendPeriod: period } = key;
  return keyId === null || limit === null || period === null ? null : { keyId, limit, period };
}

/** What lives, as the index `session_live` has it. */
function liveOf(manager: EntityManager, tenantId: string, now: Date): SelectQueryBuilder<Session> {
  return manager
    .createQueryBuilder(Session, 's')
    .where({ tenantId, revokedAt: IsNull(), expiryAnnouncedAt: IsNull(), expiresAt: MoreThan(now) });
}

/** The distinct keys, as two arrays. */
function unzip(keys: SessionKey[]): [string[], string[]] {
  const distinct = new Map(keys.map((key) => [`${key.tenantId} ${key.sessionId}`, key]));
  return [
    [...distinct.values()].map(({ tenantId }) => tenantId),
    [...distinct.values()].map(({ sessionId }) => sessionId),
  ];
}

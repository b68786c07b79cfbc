import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { GrantSeal } from '@haldir/crypto';
import { type Collector, columnsOf, Transactions, type Tx } from '@haldir/database';
import { type EntityManager, IsNull, MoreThan, type SelectQueryBuilder } from 'typeorm';
import { EVERY_AGENT } from './agent-freeze.entity.js';
import { SESSION_GRANT, sessionGrant } from './grants.js';
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

const SESSION = columnsOf(Session).with('mac');
const EXPIRED = SESSION.only('tenantId', 'id', 'agentId');

// Few agents are ever stopped, so there is next to nothing to look through.
export const FROZEN = `EXISTS (SELECT FROM agent_freeze f WHERE f.tenant_id = s.tenant_id AND f.agent_id IN (s.agent_id, '${EVERY_AGENT}')) AS frozen`;

const byKeys = {
  name: 'session.by_keys.v8',
  text: `SELECT ${SESSION.of('s')}, ${FROZEN} FROM unnest($1::text[], $2::text[]) AS w(tenant_id, id)
           JOIN session s ON s.tenant_id = w.tenant_id AND s.id = w.id`,
};
// Scopes and lineages come as JSON, because an array of arrays would have to be rectangular.
const insert = {
  name: 'session.insert.v5',
  text: `INSERT INTO session (tenant_id, id, agent_id, scopes, spend_limit_micros, opened_key, created_at, expires_at, mac, catalogue, lineage)
           SELECT tenant_id, id, agent_id, ARRAY(SELECT json_array_elements_text(scopes)), spend_limit, opened_key, created_at, expires_at, mac, catalogue,
                  ARRAY(SELECT json_array_elements_text(lineage))
             FROM unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::bigint[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::bytea[], $10::text[],
                         $11::json[])
                  AS w(tenant_id, id, agent_id, scopes, spend_limit, opened_key, created_at, expires_at, mac, catalogue, lineage)`,
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
      sessions.map(({ lineage }) => JSON.stringify(lineage)),
    ]);
  },
};

const takeExpired = `
  UPDATE session s SET expiry_announced_at = $1
    FROM (SELECT tenant_id, id FROM session
           WHERE revoked_at IS NULL AND expiry_announced_at IS NULL AND expires_at <= $1 AND lineage = '{}'
           ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
   WHERE s.tenant_id = due.tenant_id AND s.id = due.id
  RETURNING ${EXPIRED.of('s')}`;
// Their parents' rows change with theirs, so that all of them are locked together.
const dueWithParents = `
  SELECT tenant_id AS "tenantId", id AS "sessionId" FROM session
   WHERE revoked_at IS NULL AND expiry_announced_at IS NULL AND expires_at <= $1 AND lineage <> '{}'
   ORDER BY expires_at LIMIT $2`;

interface SessionRow {
  tenant_id: string;
  id: string;
  frozen: boolean;
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
      /** Up to `limit` sessions of any tenant, opened from none, that have ended by themselves, and were not noted; from now on they are. */
      takeExpired: async (now: Date, limit: number): Promise<Pick<Session, 'tenantId' | 'id' | 'agentId'>[]> =>
        (await tx.query(takeExpired, [now, limit])).map((row) => EXPIRED.toEntity(row)),
      /** Up to `limit` of any tenant that were opened from others, have ended by themselves, and were not noted. */
      dueWithParents: (now: Date, limit: number): Promise<SessionKey[]> => tx.query(dueWithParents, [now, limit]),
    };
  }

  private isIntact(session: Session): boolean {
    const { tenantId, id, mac } = session;
    return this.seal.isIntact(SESSION_GRANT, sessionGrant(session), { tenantId, id, mac });
  }

  private async load(keys: SessionKey[]): Promise<(Session | null)[]> {
    const rows = await this.transactions.query<SessionRow>(byKeys, distinctKeys(keys));
    const found = new Map(rows.map((row) => [`${row.tenant_id} ${row.id}`, row]));
    return keys.map(({ tenantId, sessionId }) => {
      const row = found.get(`${tenantId} ${sessionId}`);
      // One for each who asks: what it grants is bounded by the key of that one.
      const session = row && Object.assign(SESSION.toEntity(row), { isFrozen: row.frozen });
      return session && this.isIntact(session) ? session : null;
    });
  }
}

/** What lives, as the index `session_live` has it. */
function liveOf(manager: EntityManager, tenantId: string, now: Date): SelectQueryBuilder<Session> {
  return manager
    .createQueryBuilder(Session, 's')
    .where({ tenantId, revokedAt: IsNull(), expiryAnnouncedAt: IsNull(), expiresAt: MoreThan(now) });
}

/** The distinct keys, as two arrays. */
export function distinctKeys(keys: readonly SessionKey[]): [string[], string[]] {
  const distinct = new Map(keys.map((key) => [`${key.tenantId} ${key.sessionId}`, key]));
  return [
    [...distinct.values()].map(({ tenantId }) => tenantId),
    [...distinct.values()].map(({ sessionId }) => sessionId),
  ];
}

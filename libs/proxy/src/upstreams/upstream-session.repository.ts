import { Injectable } from '@nestjs/common';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { type SessionsOf } from '../mcp-client/index.js';
import { type UpstreamAddress } from './upstream-address.js';
import { NO_LIMITS } from './upstream-limits.js';
import { KeptUpstreamSession } from './upstream-session.entity.js';

/** Of which registration a session is, and whose; '' for one that is nobody's in particular. */
export type SessionKey = Pick<KeptUpstreamSession, 'tenantId' | 'sessionId' | 'upstream' | 'revision'>;

export type KeptState = Pick<KeptUpstreamSession, 'epoch' | 'sealed'>;

/** One that is to be ended. */
export interface OverSession extends SessionKey, KeptState, Pick<KeptUpstreamSession, 'tries'> {
  /** Whether its time is over altogether; else it was idle for long, or is of an earlier registration, and whoever comes back is told. */
  isOver: boolean;
  /** What is registered by that name now; null when nothing is. */
  address: UpstreamAddress | null;
}

const KEY = columnsOf(KeptUpstreamSession).only('tenantId', 'sessionId', 'upstream', 'revision');
const STATE = columnsOf(KeptUpstreamSession).only('epoch', 'sealed');
const OVER = columnsOf(KeptUpstreamSession).only(
  ...(['tenantId', 'sessionId', 'upstream', 'revision', 'epoch', 'sealed', 'tries'] as const),
);
const IS_KEY = 'tenant_id = $1 AND session_id = $2 AND upstream = $3 AND revision = $4';

/** That of an earlier registration is one that was lost, whether it was ended yet or not. */
const find = {
  name: 'upstream_session.find.v2',
  text: `SELECT epoch, CASE WHEN revision = $4 THEN sealed END AS sealed FROM upstream_session
          WHERE tenant_id = $1 AND session_id = $2 AND upstream = $3 ORDER BY revision = $4 DESC LIMIT 1`,
};
/** One that was lost is succeeded; one that goes on stays. */
const keep = {
  name: 'upstream_session.keep.v1',
  text: `INSERT INTO upstream_session (${KEY.list}, epoch, sealed, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, session_id, upstream, revision)
           DO UPDATE SET epoch = excluded.epoch, sealed = excluded.sealed, used_at = excluded.used_at,
                         claimed_until = '-infinity', tries = 0
            WHERE upstream_session.sealed IS NULL
         RETURNING xmax <> 0 AS succeeds`,
};
/** What is left of those under earlier registrations. */
const succeed = `
  DELETE FROM upstream_session WHERE tenant_id = $1 AND session_id = $2 AND upstream = $3 AND revision <> $4 AND sealed IS NULL`;
const use = {
  name: 'upstream_session.use.v1',
  text: `UPDATE upstream_session s SET used_at = w.used_at
           FROM (SELECT k.tenant_id, k.session_id, k.upstream, k.revision, w.used_at
                   FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS w(tenant_id, session_id, upstream, revision, used_at)
                   JOIN upstream_session k USING (tenant_id, session_id, upstream, revision)
                  FOR UPDATE OF k SKIP LOCKED) AS w
          WHERE s.tenant_id = w.tenant_id AND s.session_id = w.session_id AND s.upstream = w.upstream AND s.revision = w.revision`,
};
const lose = `UPDATE upstream_session SET sealed = NULL, claimed_until = '-infinity', tries = 0 WHERE ${IS_KEY} AND epoch = $5`;
const remove = `DELETE FROM upstream_session WHERE ${IS_KEY} AND epoch = $5`;
const whose = 'SELECT sessions FROM proxy_upstream WHERE tenant_id = $1 AND name = $2 AND revision = $3';
const found = `
  UPDATE proxy_upstream SET sessions = CASE WHEN sessions IN ('own', 'shared') AND $4 <> 'none' THEN sessions ELSE $4 END
   WHERE tenant_id = $1 AND name = $2 AND revision = $3 RETURNING sessions`;
const findOutAgain = 'UPDATE proxy_upstream SET sessions = NULL WHERE tenant_id = $1 AND name = $2 AND revision = $3';
/** The session that everybody shares at an upstream, by its address. */
const shared = `
  SELECT s.revision, s.epoch, s.sealed
    FROM proxy_upstream u JOIN upstream_session s ON s.tenant_id = u.tenant_id AND s.session_id = '' AND s.upstream = u.name AND s.revision = u.revision
   WHERE u.tenant_id = $1 AND u.name = $2 AND u.url = $3 AND u.sessions = 'shared' AND s.sealed IS NOT NULL`;
const leave = `DELETE FROM upstream_session WHERE tenant_id = $1 AND session_id = '' AND upstream = $2 AND revision <> $3`;
const takeAll = `
  DELETE FROM upstream_session s USING proxy_upstream u
   WHERE s.tenant_id = $1 AND s.upstream = $2 AND u.tenant_id = s.tenant_id AND u.name = s.upstream AND u.revision = s.revision
     AND u.url IS DISTINCT FROM $3
  RETURNING ${OVER.of('s')}, u.revision AS registered, u.url, u.headers`;
/**
 * A lease: whoever dies with it leaves them to the next. Calls of an earlier registration may be under way until `$5` is later than it. A session that cannot be acted through for a while only, because its agent
 * is stopped, goes on. Those that were tried least come first, so that an upstream that is not there holds up no other.
 */
const claim = `
  WITH due AS (
    SELECT s.tenant_id, s.session_id, s.upstream, s.revision, u.revision AS registered, u.url, u.headers, e.over
      FROM upstream_session s
      LEFT JOIN session h ON h.tenant_id = s.tenant_id AND h.id = s.session_id
      LEFT JOIN proxy_upstream u ON u.tenant_id = s.tenant_id AND u.name = s.upstream
     CROSS JOIN LATERAL (SELECT u.name IS NULL OR CASE WHEN s.session_id = '' THEN u.revision <> s.revision AND u.registered_at <= $5
                                                       ELSE h.id IS NULL OR h.revoked_at IS NOT NULL OR h.expires_at <= $1 END) AS e(over)
     WHERE s.claimed_until <= $1
       AND (e.over OR s.session_id <> '' AND s.sealed IS NOT NULL AND (s.used_at <= $3 OR u.revision <> s.revision AND u.registered_at <= $5))
     ORDER BY s.tries, s.used_at LIMIT $4 FOR UPDATE OF s SKIP LOCKED)
  UPDATE upstream_session s SET claimed_until = $2, tries = s.tries + 1
    FROM due
   WHERE s.tenant_id = due.tenant_id AND s.session_id = due.session_id AND s.upstream = due.upstream AND s.revision = due.revision
  RETURNING ${OVER.of('s')}, due.registered, due.url, due.headers, due.over`;

/** Sessions with upstreams, sealed. */
@Injectable()
export class UpstreamSessionRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Null while none was ever begun in this place, or the last one is over. */
  async find(key: SessionKey): Promise<KeptState | null> {
    const [row] = await this.transactions.query(find, valuesOf(key));
    return row ? STATE.toEntity(row) : null;
  }

  /** Whoever needs one after that knows that it was lost. Another one that is there by now stays. */
  async lose(key: SessionKey, epoch: string): Promise<void> {
    await this.transactions.query(lose, [...valuesOf(key), epoch]);
  }

  async remove(key: SessionKey, epoch: string): Promise<void> {
    await this.transactions.query(remove, [...valuesOf(key), epoch]);
  }

  /** Of several tenants; what somebody else is at is left out. */
  async use(used: readonly { key: SessionKey; at: Date }[]): Promise<void> {
    await this.transactions.query(use, [
      used.map(({ key }) => key.tenantId),
      used.map(({ key }) => key.sessionId),
      used.map(({ key }) => key.upstream),
      used.map(({ key }) => key.revision),
      used.map(({ at }) => at),
    ]);
  }

  /** The one that everybody shares at the upstream that is registered so; null when it has none, or one for each. */
  async shared(tenantId: string, upstream: string, url: string): Promise<(SessionKey & KeptState) | null> {
    const [row] = await this.transactions.query<KeptState & { revision: string }>(shared, [tenantId, upstream, url]);
    return row ? { tenantId, sessionId: '', upstream, ...row } : null;
  }

  /** Null while nobody has found out, or the registration is over. */
  async whose({ tenantId, name, revision }: UpstreamAddress): Promise<SessionsOf | null> {
    const [row] = await this.transactions.query<{ sessions: SessionsOf | null }>(whose, [tenantId, name, revision]);
    return row?.sessions ?? null;
  }

  /** Of what several find out the first holds; that there are none, at once. */
  async found({ tenantId, name, revision }: UpstreamAddress, sessions: SessionsOf): Promise<SessionsOf> {
    const values: [string, ...string[]] = [tenantId, name, revision, sessions];
    const [row] = await this.transactions.query<{ sessions: SessionsOf }>(found, values);
    return row?.sessions ?? sessions;
  }

  /**
   * Takes up to `limit` sessions of any tenant whose time is over, that nobody has used since `idleSince`, or whose upstream was
   * registered anew by `replacedBy`.
   */
  async claimOver(
    now: Date,
    leaseUntil: Date,
    idleSince: Date,
    replacedBy: Date,
    limit: number,
  ): Promise<OverSession[]> {
    const rows = await this.transactions.queryAll<OverRow>(claim, [now, leaseUntil, idleSince, limit, replacedBy]);
    return rows.map((row) => toOver(row, row.over));
  }

  in(tx: Tx) {
    return {
      /** False, and nothing written, when there is one that goes on. */
      keep: async (key: SessionKey, { epoch, sealed }: KeptState, now: Date): Promise<boolean> => {
        const [row] = await tx.query<{ succeeds: boolean }>(keep, [...valuesOf(key), epoch, sealed, now]);
        // The upstream may begin others by now.
        if (row?.succeeds && key.sessionId === '') tx.send(findOutAgain, [key.tenantId, key.upstream, key.revision]);
        if (row) tx.send(succeed, valuesOf(key));
        return row !== undefined;
      },
      /** The session that everybody shares is that of this registration alone from now on. */
      leave: (tenantId: string, upstream: string, revision: string): void =>
        tx.send(leave, [tenantId, upstream, revision]),
      /** Forgets all of an upstream as it is registered now, unless that is at the address `keptUrl`; answers what they were. */
      takeAll: async (tenantId: string, upstream: string, keptUrl: string | null): Promise<OverSession[]> =>
        (await tx.query<OverRow>(takeAll, [tenantId, upstream, keptUrl])).map((row) => toOver(row, true)),
    };
  }
}

interface OverRow {
  registered: string | null;
  url: string | null;
  headers: Buffer | null;
  over: boolean;
}

function toOver(row: OverRow, isOver: boolean): OverSession {
  const { registered: revision, url, headers } = row;
  const over = OVER.toEntity(row);
  const { tenantId, upstream: name } = over;
  const address = revision === null || url === null ? null : { tenantId, name, revision, url, headers, ...NO_LIMITS };
  return { ...over, isOver, address };
}

function valuesOf({ tenantId, sessionId, upstream, revision }: SessionKey): [string, ...string[]] {
  return [tenantId, sessionId, upstream, revision];
}

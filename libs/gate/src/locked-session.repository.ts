import { Injectable } from '@nestjs/common';
import { GrantSeal } from '@haldir/crypto';
import { columnsOf, type Tx } from '@haldir/database';
import { type ApiKey } from './api-key.entity.js';
import { type StandingBudget } from './budget.js';
import { KEY_GRANT, keyGrant, SESSION_GRANT, sessionGrant } from './grants.js';
import { GRANTING_COLUMNS, type KeyTenantRow, toKeyGrant } from './key-grant-row.js';
import { Session } from './session.entity.js';
import { distinctKeys, FROZEN, type SessionKey } from './session.repository.js';

/** Of principals that are people. */
const PERSON_PREFIX = 'prs_';

const LOCKED = columnsOf(Session).with('mac', 'expiryAnnouncedAt', 'budgetAnnouncedAt', 'threshold');
const OPENING_KEY = GRANTING_COLUMNS.prefixed('key_');

// With the key that opened it: on the standing budget of an agent key every payment in its sessions is drawn.
const SESSIONS = `SELECT ${LOCKED.of('s')}, ${FROZEN}, ${OPENING_KEY.of('k')}, t.tier AS tenant_tier, t.is_operator
           FROM session s
           JOIN tenant t ON t.id = s.tenant_id
           LEFT JOIN api_key k ON k.tenant_id = s.tenant_id AND k.public_id = substr(s.opened_key, 5)`;
/** One order everywhere, and one statement for all that a transaction locks. */
const LOCKING = 'ORDER BY s.tenant_id, s.id FOR UPDATE OF s';

const byKeys = {
  name: 'session.with_keys.v1',
  text: `${SESSIONS} WHERE (s.tenant_id, s.id) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
};
const lockByKeys = {
  name: 'session.lock_by_keys.v9',
  text: `${byKeys.text} ${LOCKING}`,
};
// What one descends from never changes, so that it is known before anything is locked.
const lockLineages = {
  name: 'session.lock_lineages.v1',
  text: `WITH w AS (SELECT * FROM unnest($1::text[], $2::text[]) AS w(tenant_id, id))
         ${SESSIONS}
          WHERE (s.tenant_id, s.id) IN (
                SELECT tenant_id, id FROM w
                UNION ALL
                SELECT c.tenant_id, unnest(c.lineage) FROM w JOIN session c ON c.tenant_id = w.tenant_id AND c.id = w.id)
          ${LOCKING}`,
};
/** Sessions are opened from those of a tree, and those of it revoked, one after the other: whoever revokes knows all that there are. */
const holdTree = `
  SELECT pg_advisory_xact_lock(hashtextextended('session ' || tenant_id || ' ' || coalesce(lineage[1], id), 0))
    FROM session WHERE tenant_id = $1 AND id = $2`;
const lockBranch = `
  WITH top AS (SELECT tenant_id, id, lineage, coalesce(lineage[1], id) AS root FROM session WHERE tenant_id = $1 AND id = $2)
  ${SESSIONS}
   WHERE s.tenant_id = $1 AND s.id IN (
         SELECT id FROM top
         UNION ALL
         SELECT unnest(lineage) FROM top
         UNION ALL
         SELECT d.id FROM top JOIN session d ON d.tenant_id = top.tenant_id AND d.lineage[1] = top.root AND top.id = ANY (d.lineage)
          WHERE d.lineage <> '{}' AND d.revoked_at IS NULL AND d.expiry_announced_at IS NULL)
   ${LOCKING}`;

const save = {
  name: 'session.save_budgets.v2',
  text: `UPDATE session s SET spent_micros = w.spent, held_micros = w.held, delegated_micros = w.delegated, descendants = w.descendants,
                              budget_announced_at = w.announced_at, threshold = w.threshold
           FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[], $7::timestamptz[], $8::integer[])
                AS w(tenant_id, id, spent, held, delegated, descendants, announced_at, threshold)
          WHERE s.tenant_id = w.tenant_id AND s.id = w.id`,
};
const endByKeys = (column: 'revoked_at' | 'expiry_announced_at'): string => `
  UPDATE session s SET ${column} = $3 FROM unnest($1::text[], $2::text[]) AS w(tenant_id, id)
   WHERE s.tenant_id = w.tenant_id AND s.id = w.id`;

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
  /** Of the agent keys that opened it and what it descends from, each once; those above it only for one that is to spend. */
  standings: StandingBudget[];
  /** Whether its end is noted: what was left of its limit is its parent's again. */
  isOver: boolean;
  /** Whether its row grants what it was made to grant. */
  isIntact: boolean;
}

/** Sessions under the locks of a transaction, and what moves in them. */
@Injectable()
export class LockedSessionRepository {
  constructor(private readonly seal: GrantSeal) {}

  in(tx: Tx) {
    return {
      /**
       * Locks the rows in one order everywhere, so that concurrent spends queue up and never deadlock. One whose grant was edited
       * in the database, or that of the key that opened it, is as good as revoked, and so is one that descends from such a one; what it
       * holds can still be set free.
       */
      lock: async (keys: readonly SessionKey[]): Promise<LockedSession[]> => {
        const entries = (await tx.query<LockedRow>(lockByKeys, distinctKeys(keys))).map((row) => this.toLocked(row));
        await this.bindByLineages(tx, entries);
        return entries;
      },
      /** The same, with all that they descend from locked too: for what moves between them. */
      lockLineages: async (keys: readonly SessionKey[]): Promise<LockedSession[]> => {
        const entries = (await tx.query<LockedRow>(lockLineages, distinctKeys(keys))).map((row) => this.toLocked(row));
        endWithLineages(entries, byPlace(entries));
        return entries;
      },
      /** Nothing is opened from a session of its tree, and none of it revoked, by anybody else until the transaction ends. */
      holdTree: ({ tenantId, sessionId }: SessionKey): Promise<unknown> => tx.query(holdTree, [tenantId, sessionId]),
      /** Locks the session, all that it descends from, and all that descend from it and are not over. */
      lockBranch: async ({ tenantId, sessionId }: SessionKey): Promise<LockedSession[]> =>
        (await tx.query<LockedRow>(lockBranch, [tenantId, sessionId])).map((row) => this.toLocked(row)),
      /** Writes what has moved in locked sessions; does not wait for the answer. */
      save: (changed: readonly LockedSession[]): void => {
        if (changed.length === 0) return;
        tx.send(save, [
          changed.map(({ session }) => session.tenantId),
          changed.map(({ session }) => session.id),
          changed.map(({ session }) => session.spent.toString()),
          changed.map(({ session }) => session.held.toString()),
          changed.map(({ session }) => session.delegated.toString()),
          changed.map(({ session }) => session.descendants),
          changed.map(({ announcedAt }) => announcedAt),
          changed.map(({ threshold }) => threshold),
        ]);
      },
      /** Notes that locked sessions are over; does not wait for the answer. */
      end: (over: readonly LockedSession[], how: 'revoked' | 'expired', now: Date): void => {
        if (over.length === 0) return;
        tx.send(endByKeys(how === 'revoked' ? 'revoked_at' : 'expiry_announced_at'), [
          over.map(({ session }) => session.tenantId),
          over.map(({ session }) => session.id),
          now,
        ]);
      },
    };
  }

  /** What a session descends from binds it, too: it has no money but what their keys have, and goes where one of them is not whole. */
  private async bindByLineages(tx: Tx, entries: readonly LockedSession[]): Promise<void> {
    const wanted = entries.flatMap(({ session: { tenantId, lineage } }) =>
      lineage.map((sessionId) => ({ tenantId, sessionId })),
    );
    if (wanted.length === 0) return;
    const rows = await tx.query<LockedRow>(byKeys, distinctKeys(wanted));
    const above = byPlace(rows.map((row) => this.toLocked(row)));
    endWithLineages(entries, above);
    for (const entry of entries) {
      const { session } = entry;
      for (const id of session.lineage) {
        const ancestor = above.get(placeOf({ tenantId: session.tenantId, id }));
        const known = new Set(entry.standings.map(({ keyId }) => keyId));
        entry.standings.push(...(ancestor?.standings.filter(({ keyId }) => !known.has(keyId)) ?? []));
      }
    }
  }

  /** As the row has it; one whose grant, or that of the key that opened it, was edited is as good as revoked. */
  private toLocked(row: LockedRow): LockedSession {
    const session = Object.assign(LOCKED.toEntity(row), { isFrozen: row.frozen });
    const { tenantId, id, mac, openedKey, expiryAnnouncedAt, budgetAnnouncedAt: announcedAt, threshold } = session;
    const isOver = session.revokedAt !== null || expiryAnnouncedAt !== null;
    const isIntact = this.seal.isIntact(SESSION_GRANT, sessionGrant(session), { tenantId, id, mac });
    const key = row.key_public_id === null ? null : OPENING_KEY.toEntity(row);
    const isOpenedByIntactKey =
      openedKey === null ||
      // By a person, as the session's own MAC says: there is no key, and no standing budget.
      openedKey.startsWith(PERSON_PREFIX) ||
      (key !== null &&
        this.seal.isIntact(KEY_GRANT, keyGrant(toKeyGrant(key, row)), { tenantId, id: openedKey, mac: key.mac }));
    if (!isIntact || !isOpenedByIntactKey) session.revokedAt ??= session.createdAt;
    const standings = key === null ? [] : standingsOf(session, key);
    return { session, announcedAt, threshold, standings, isOver, isIntact };
  }
}

/** The standing budget of the agent key that opened it; none for a key that is no agent's. */
function standingsOf(
  { openedKey: keyId }: Session,
  { agentSpendLimit: limit, agentSpendPeriod: period }: Pick<ApiKey, 'agentSpendLimit' | 'agentSpendPeriod'>,
): StandingBudget[] {
  return keyId === null || limit === null || period === null ? [] : [{ keyId, limit, period }];
}

function byPlace(entries: readonly LockedSession[]): ReadonlyMap<string, LockedSession> {
  return new Map(entries.map((entry) => [placeOf(entry.session), entry]));
}

/** One that descends from what was revoked, or is not there, is as good as revoked; whether its end is noted stays as it is. */
function endWithLineages(entries: readonly LockedSession[], above: ReadonlyMap<string, LockedSession>): void {
  for (const { session } of entries) {
    const { tenantId, lineage } = session;
    const isWhole = lineage.every((id) => above.get(placeOf({ tenantId, id }))?.session.revokedAt === null);
    if (!isWhole) session.revokedAt ??= session.createdAt;
  }
}

function placeOf({ tenantId, id }: Pick<Session, 'tenantId' | 'id'>): string {
  return `${tenantId} ${id}`;
}

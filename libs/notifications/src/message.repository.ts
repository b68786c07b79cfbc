import { EVERY_TENANT, type Transactions, type Tx } from '@haldir/database';
import { type Channel, type EventKey, type Tally } from '@haldir/events';
import { type Audience, KINDS_OF_ROLES, type NotificationKind } from './notification-kinds.js';

/** A message that is to be made for everybody, or the one person, who wants to hear of its kind. */
export interface NewMessage extends EventKey, Audience {
  /** What it says, as JSON. */
  notice: string;
}

interface MessageKey extends EventKey {
  personId: string;
}

/** A message that this process holds until its lease runs out. */
export interface ClaimedMessage extends MessageKey {
  kind: NotificationKind;
  notice: string;
  createdAt: Date;
  /** Attempts made so far. */
  attempts: number;
  /** Null for whom nothing is sent any more: they were removed, their role does not read it, or they do not want it. */
  email: string | null;
}

/** What became of an attempt, and what that makes of the message. */
export interface MessageOutcome {
  state: 'pending' | 'sent' | 'failed' | 'cancelled';
  error: string | null;
  nextAttemptAt: Date;
}

const ROLES = KINDS_OF_ROLES.map(({ role }) => role);
const KINDS = KINDS_OF_ROLES.map(({ kind }) => kind);
const DEFAULTS = KINDS_OF_ROLES.map(({ isDefault }) => isDefault);

/** By which people are told, and where its messages are. */
interface Medium {
  table: 'mail' | 'push_message';
  /** The column of `notification_choice` that has what a person chose for it; null for who has not. */
  choice: 'kinds' | 'push_kinds';
  /** SQL of whom of the memberships `m` it can reach at all. */
  reachable: string;
}

function statements({ table, choice, reachable }: Medium) {
  const fanOut = `
    WITH wanted AS (
      SELECT e.tenant_id, e.id, m.person_id, e.kind, e.notice,
             row_number() OVER (PARTITION BY m.tenant_id, m.person_id, e.kind ORDER BY e.id)
               + (SELECT count(*) FROM ${table} r
                   WHERE r.tenant_id = m.tenant_id AND r.person_id = m.person_id AND r.kind = e.kind AND r.created_at > $9 AND r.state <> 'dropped') AS place
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $11::text[]) AS e(tenant_id, id, kind, notice, person_id)
        JOIN membership m ON m.tenant_id = e.tenant_id AND m.removed_at IS NULL AND m.signed_in_at IS NOT NULL
                         AND (e.person_id IS NULL OR m.person_id = e.person_id)
        JOIN unnest($5::text[], $6::text[], $7::boolean[]) AS k(role, kind, is_default) ON k.role = m.role AND k.kind = e.kind
        LEFT JOIN notification_choice c ON c.tenant_id = m.tenant_id AND c.person_id = m.person_id
       WHERE CASE WHEN c.${choice} IS NULL THEN k.is_default ELSE e.kind = ANY (c.${choice}) END AND ${reachable}
    )
    INSERT INTO ${table} (tenant_id, event_id, person_id, kind, notice, state, next_attempt_at, created_at)
      SELECT tenant_id, id, person_id, kind, notice, CASE WHEN place <= $10 THEN 'pending' ELSE 'dropped' END, $8, $8 FROM wanted
      ON CONFLICT DO NOTHING
      RETURNING state`;

  const claim = `
    WITH due AS MATERIALIZED (
      SELECT tenant_id, event_id, person_id FROM ${table}
       WHERE state = 'pending' AND next_attempt_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
       ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ), held AS (
      UPDATE ${table} x SET leased_until = $2 FROM due
       WHERE x.tenant_id = due.tenant_id AND x.event_id = due.event_id AND x.person_id = due.person_id
      RETURNING x.tenant_id, x.event_id, x.person_id, x.kind, x.notice, x.created_at, x.attempts
    )
    SELECT h.tenant_id, h.event_id, h.person_id, h.kind, h.notice, h.created_at, h.attempts, p.email
      FROM held h
      LEFT JOIN membership m ON m.tenant_id = h.tenant_id AND m.person_id = h.person_id AND m.removed_at IS NULL
            AND m.signed_in_at IS NOT NULL
            AND NOT EXISTS (SELECT FROM notification_choice c
                             WHERE c.tenant_id = h.tenant_id AND c.person_id = h.person_id AND NOT h.kind = ANY (c.${choice}))
            AND EXISTS (SELECT FROM unnest($4::text[], $5::text[]) AS k(role, kind) WHERE k.role = m.role AND k.kind = h.kind)
      LEFT JOIN person p ON p.tenant_id = m.tenant_id AND p.id = m.person_id`;

  const settle = `
    UPDATE ${table} SET state = $5, attempts = attempts + 1, error = $6, next_attempt_at = $7, leased_until = NULL
     WHERE tenant_id = $1 AND event_id = $2 AND person_id = $3 AND state = 'pending' AND attempts = $4`;

  const tally = `
    SELECT e.n, count(*) FILTER (WHERE m.state IN ('pending', 'sent', 'failed'))::integer AS wanted,
           count(*) FILTER (WHERE m.state = 'sent')::integer AS told,
           count(*) FILTER (WHERE m.state = 'pending')::integer AS waiting
      FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(tenant_id, event_id, n)
      JOIN ${table} m ON m.tenant_id = e.tenant_id AND m.event_id = e.event_id
     GROUP BY e.n`;

  const purgeOld = `
    DELETE FROM ${table} WHERE (tenant_id, event_id, person_id) IN (
      SELECT tenant_id, event_id, person_id FROM ${table} WHERE created_at < $1 AND state <> 'pending' ORDER BY created_at LIMIT $2)
    RETURNING 1 AS done`;

  const countDue = `SELECT count(*) AS due FROM ${table} WHERE state = 'pending' AND next_attempt_at <= $1`;

  return { fanOut, claim, settle, tally, purgeOld, countDue };
}

interface ClaimRow {
  tenant_id: string;
  event_id: string;
  person_id: string;
  kind: NotificationKind;
  notice: string;
  created_at: Date;
  attempts: number;
  email: string | null;
}

/** Messages to people by one medium, a row for each event and person: who is sent which, who holds them, what became of them. */
export abstract class MessageRepository implements Channel {
  private readonly sql: ReturnType<typeof statements>;

  constructor(
    private readonly transactions: Transactions,
    medium: Medium,
  ) {
    this.sql = statements(medium);
  }

  /**
   * Makes a message of each event for each person of its tenant who wants it and has signed in. Harmless when repeated. What is more
   * than `most` for one person since then is dropped.
   */
  async fanOut(
    tx: Tx,
    messages: readonly NewMessage[],
    { now, since, most }: { now: Date; since: Date; most: number },
  ): Promise<{ made: number; dropped: number }> {
    const rows = await tx.query<{ state: string }>(this.sql.fanOut, [
      ...[messages.map(({ tenantId }) => tenantId), messages.map(({ eventId }) => eventId)],
      ...[
        messages.map(({ kind }) => kind),
        messages.map(({ notice }) => notice),
        ROLES,
        KINDS,
        DEFAULTS,
        now,
        since,
        most,
      ],
      messages.map(({ personId }) => personId),
    ]);
    const dropped = rows.filter(({ state }) => state === 'dropped').length;
    return { made: rows.length - dropped, dropped };
  }

  /** Takes up to `take` that are due, of any tenant, and holds them until `leasedUntil`: nobody else gets them meanwhile. */
  async claim(take: number, now: Date, leasedUntil: Date): Promise<ClaimedMessage[]> {
    const rows = await this.transactions.run(EVERY_TENANT, (tx) =>
      tx.query<ClaimRow>(this.sql.claim, [now, leasedUntil, take, ROLES, KINDS]),
    );
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      eventId: row.event_id,
      personId: row.person_id,
      kind: row.kind,
      notice: row.notice,
      createdAt: row.created_at,
      attempts: row.attempts,
      email: row.email,
    }));
  }

  /** Writes an attempt down, once; durable when it resolves. */
  async settle({ tenantId, eventId, personId, attempts }: ClaimedMessage, outcome: MessageOutcome): Promise<void> {
    const { state, error, nextAttemptAt } = outcome;
    await this.transactions.query(this.sql.settle, [
      tenantId,
      eventId,
      personId,
      attempts,
      state,
      error,
      nextAttemptAt,
    ]);
  }

  async tally(tx: Tx, events: readonly EventKey[]): Promise<Tally[]> {
    const keys = [events.map(({ tenantId }) => tenantId), events.map(({ eventId }) => eventId)];
    const rows = await tx.query<Tally & { n: string }>(this.sql.tally, keys);
    const found = new Map(rows.map(({ n, ...counts }) => [Number(n), counts]));
    return events.map((_, i) => found.get(i + 1) ?? { wanted: 0, told: 0, waiting: 0 });
  }

  /** Removes up to `limit` that were made before then and wait for nothing; answers how many. */
  async purge(before: Date, limit: number): Promise<number> {
    return (await this.transactions.queryAll(this.sql.purgeOld, [before, limit])).length;
  }

  async countDue(now: Date): Promise<number> {
    const [row] = await this.transactions.queryAll<{ due: string }>(this.sql.countDue, [now]);
    return Number(row?.due ?? 0);
  }
}

import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { type Statement, Transactions, type Tx } from '@haldir/database';
import { type LoggedEntry } from '@haldir/verifier';

/** An entry of a log, with its position in it. */
export interface AuditEntry extends LoggedEntry {
  seq: number;
  costMicros: MicroUsd;
}

/** What was decided about a call, read or prompt, as its entry says. */
export const DECISIONS = ['allowed', 'blocked', 'approval_required', 'approval_denied'] as const;

/** Which entries; filters combine with AND. */
export interface AuditFilter {
  sessionId?: string | undefined;
  agentId?: string | undefined;
  tool?: string | undefined;
  flagged?: boolean | undefined;
  action?: string | undefined;
  decision?: (typeof DECISIONS)[number] | undefined;
  /** Id of the policy or approval rule that decided, or that was itself changed. */
  rule?: string | undefined;
  /** Of the upstream that a call, read or prompt names. */
  upstream?: string | undefined;
  /** Within the tool's name, small and capital letters of ASCII alike. */
  toolContains?: string | undefined;
  /** Opaque id of who acted. */
  actorId?: string | undefined;
  /** The first moment that counts. */
  since?: Date | undefined;
  /** The last moment that counts. */
  until?: Date | undefined;
}

/** A stretch of a log: from one position up to, and without, another. */
export interface Stretch {
  from: number;
  to: number;
}

/** Entries that were found; some of the log may not have been looked at yet. */
export interface FoundEntries {
  entries: AuditEntry[];
  /** The last position that was looked at, where there is more behind it than one request looks at; null when that is all. */
  lookedTo: number | null;
}

interface EntryRow {
  seq: string;
  entry_id: string;
  tenant_id: string;
  source: string;
  session_id: string;
  agent_id: string;
  tool: string;
  action: string;
  cost_micros: string;
  at_micros: string;
  details: string | null;
  details_salt: string | null;
  details_hash: string | null;
  flag_reason: string | null;
  prev_hash: Buffer;
  entry_hash: Buffer;
  actor_id: string | null;
  context: string | null;
  context_salt: string | null;
  context_hash: string | null;
}

// To the microsecond: a Date would round, and a change below the millisecond would go unseen.
const COLUMNS = `seq, entry_id, tenant_id, source, session_id, agent_id, tool, action, cost_micros,
  (extract(epoch FROM at) * 1000000)::bigint AS at_micros, details, encode(details_salt, 'hex') AS details_salt,
  encode(details_hash, 'hex') AS details_hash, flag_reason, prev_hash, entry_hash, actor_id, context,
  encode(context_salt, 'hex') AS context_salt, encode(context_hash, 'hex') AS context_hash`;

const LOG_SIZE = 'SELECT size FROM audit_head WHERE tenant_id = $1';

const ENTRIES_AT = `SELECT ${COLUMNS} FROM audit_entry WHERE tenant_id = $1 AND seq = ANY ($2::bigint[]) ORDER BY seq`;
const POSITION_BEHIND = `SELECT audit_position_at($1, $2::timestamptz + interval '1 ms') AS seq`;

@Injectable()
export class AuditTrailRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's entries, newest first, before position `before`. */
  newest(tenantId: string, filter: AuditFilter, limit: number, before: number | null): Promise<FoundEntries> {
    return this.find('DESC', tenantId, filter, { from: 0, to: before ?? Number.MAX_SAFE_INTEGER }, limit);
  }

  /** Up to `limit` of the tenant's entries in a stretch of the log, oldest first. */
  oldest(tenantId: string, filter: AuditFilter, stretch: Stretch, limit: number): Promise<FoundEntries> {
    return this.find('ASC', tenantId, filter, stretch, limit);
  }

  private async find(
    order: Order,
    tenantId: string,
    filter: AuditFilter,
    stretch: Stretch,
    limit: number,
  ): Promise<FoundEntries> {
    const { found, edge } = select(order, tenantId, filter, stretch, limit);
    const entries = (await this.transactions.query<EntryRow>(found.statement, found.values)).map(toEntry);
    if (edge === null || entries.length >= limit) return { entries, lookedTo: null };
    const [row] = await this.transactions.query<{ seq: string }>(edge.statement, edge.values);
    if (!row) return { entries, lookedTo: null };
    // Entries that were appended meanwhile move the edge, but not over what was found.
    const further = order === 'ASC' ? Math.max : Math.min;
    return { entries, lookedTo: further(Number(row.seq), entries.at(-1)?.seq ?? Number(row.seq)) };
  }

  in(tx: Tx) {
    return {
      /** Whether the tenant has the entry, and whether there were details to erase. */
      eraseDetails: async (tenantId: string, entryId: string): Promise<{ found: boolean; erased: boolean }> => {
        const [row] = await tx.query<{ found: boolean; erased: boolean }>(
          `SELECT EXISTS (SELECT FROM audit_entry WHERE tenant_id = $1 AND entry_id = $2) AS found,
                  coalesce(audit_erase_details($1, $2), false) AS erased`,
          [tenantId, entryId],
        );
        return row ?? { found: false, erased: false };
      },
    };
  }

  /** The entries at these positions, oldest first. */
  async at(tenantId: string, positions: readonly number[]): Promise<AuditEntry[]> {
    const rows = await this.transactions.query<EntryRow>(ENTRIES_AT, [tenantId, positions]);
    return rows.map(toEntry);
  }

  /** How many entries the log has up to a moment, that millisecond included. */
  async positionBehind(tenantId: string, at: Date): Promise<number> {
    const [row] = await this.transactions.query<{ seq: string }>(POSITION_BEHIND, [tenantId, at]);
    return Number(row?.seq ?? 0);
  }

  /** Entries in the tenant's log. */
  async size(tenantId: string): Promise<number> {
    const [row] = await this.transactions.query<{ size: string }>(LOG_SIZE, [tenantId]);
    return Number(row?.size ?? 0);
  }
}

type Order = 'ASC' | 'DESC';

interface Asked {
  statement: Statement;
  values: [tenantId: string, ...rest: unknown[]];
}

/** Of what one filter has let through, how many entries a request looks at for those that the other filters let through. */
const LOOKED_AT = 10_000;

/** A filter as a condition: a letter for the statement's name, and `?` for its value. */
interface Condition {
  letter: string;
  text: string;
  value?: unknown;
}

/** The filters, each list by how few entries they are likely to let through. */
function conditionsOf(filter: AuditFilter): Record<'known' | 'more' | 'unled' | 'times', Condition[]> {
  const { sessionId, agentId, tool, flagged, action, decision, rule, upstream, toolContains, actorId } = filter;
  const { since, until } = filter;
  const given = (letter: string, text: string, value: unknown): Condition[] =>
    value === undefined ? [] : [{ letter, text, value }];
  const flags = { letter: flagged ? 'f' : 'u', text: `flag_reason IS ${flagged ? 'NOT ' : ''}NULL` };
  return {
    known: [
      ...given('s', 'session_id = ?', sessionId),
      ...given('t', 'tool = ?', tool),
      ...given('a', 'agent_id = ?', agentId),
      ...(flagged === undefined ? [] : [flags]),
    ],
    more: [
      ...given('r', 'rule = ?', rule),
      ...given('A', 'action_hash = hashtextextended(?, 0) AND action = ?', action),
      ...given('p', 'actor_id = ?', actorId),
      ...given('U', 'upstream = ?', upstream),
      ...(decision === 'allowed' ? [] : given('d', `decision = ? AND decision <> 'allowed'`, decision)),
    ],
    // No index has these.
    unled: [
      ...(decision === 'allowed' ? [{ letter: 'D', text: `decision = 'allowed'` }] : []),
      ...given('c', `strpos(lower(tool COLLATE "C"), lower(?::text COLLATE "C")) > 0`, toolContains),
    ],
    // Times only grow along a log, so a time is a position.
    times: [
      ...given('S', 'seq >= audit_position_at($1, ?)', since),
      ...given('E', `seq < audit_position_at($1, ?::timestamptz + interval '1 ms')`, until),
    ],
  };
}

/**
 * One statement for each set of filters, prepared once. One filter alone is a stretch of an index, as are those that the list
 * always had, together with a time. Of any others, one is, and the rest is looked for among the entries that it lets through,
 * up to so many: `edge` asks for the last of them.
 */
function select(
  order: Order,
  tenantId: string,
  filter: AuditFilter,
  { from, to }: Stretch,
  limit: number,
): { found: Asked; edge: Asked | null } {
  const { known, more, unled, times } = conditionsOf(filter);
  const all = [...more, ...known];
  const isPlain = unled.length === 0 && (more.length === 0 || all.length === 1);
  const led = isPlain ? [...all, ...times] : [...all.slice(0, 1), ...times];
  const rest = isPlain ? [] : [...all.slice(1), ...unled];
  const values: Asked['values'] = [tenantId, from, to];
  const textOf = (conditions: Condition[]): string =>
    conditions
      .map(({ text, value }) => {
        if (value !== undefined) values.push(value);
        return ` AND ${text.replaceAll('?', `$${values.length}`)}`;
      })
      .join('');
  const lettersOf = (conditions: Condition[]): string => conditions.map(({ letter }) => letter).join('');
  const filters = `${order.toLowerCase()}.${lettersOf(led)}.${lettersOf(rest)}`;
  const rows = `FROM audit_entry WHERE tenant_id = $1 AND seq >= $2 AND seq < $3${textOf(led)} ORDER BY seq ${order}`;
  const edge = isPlain
    ? null
    : {
        statement: {
          name: `audit_entry.${filters}.edge.v1`,
          text: `SELECT seq ${rows} OFFSET ${LOOKED_AT - 1} LIMIT 1`,
        },
        values: [...values] as Asked['values'],
      };
  const others = textOf(rest);
  values.push(limit);
  const page = isPlain
    ? `SELECT ${COLUMNS} ${rows} LIMIT $${values.length}`
    : `SELECT ${COLUMNS} FROM (SELECT * ${rows} LIMIT ${LOOKED_AT}) AS looked_at WHERE true${others}
        ORDER BY seq ${order} LIMIT $${values.length}`;
  return { found: { statement: { name: `audit_entry.${filters}.v3`, text: page }, values }, edge };
}

function toEntry(row: EntryRow): AuditEntry {
  return {
    seq: Number(row.seq),
    entryId: row.entry_id,
    tenantId: row.tenant_id,
    source: row.source,
    sessionId: row.session_id,
    agentId: row.agent_id,
    tool: row.tool,
    action: row.action,
    costMicros: BigInt(row.cost_micros) as MicroUsd,
    atMicros: BigInt(row.at_micros),
    details: row.details,
    detailsSalt: row.details_salt,
    detailsHash: row.details_hash,
    flagReason: row.flag_reason,
    prevHash: row.prev_hash,
    entryHash: row.entry_hash,
    actorId: row.actor_id,
    context: row.context,
    contextSalt: row.context_salt,
    contextHash: row.context_hash,
  };
}

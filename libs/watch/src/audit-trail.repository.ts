import { Inject, Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { type Statement, Transactions, type Tx } from '@haldir/database';
import { type LoggedEntry } from '@haldir/verifier';

/** An entry of a log, with its position in it. */
export interface AuditEntry extends LoggedEntry {
  seq: number;
  costMicros: MicroUsd;
}

/** Which entries; filters combine with AND. */
export interface AuditFilter {
  sessionId?: string | undefined;
  agentId?: string | undefined;
  tool?: string | undefined;
  flagged?: boolean | undefined;
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

const logSize = { name: 'audit_head.read_size.v1', text: 'SELECT size FROM audit_head WHERE tenant_id = $1' };

@Injectable()
export class AuditTrailRepository {
  constructor(@Inject(Transactions) private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's entries, newest first, before position `before`. */
  async newest(tenantId: string, filter: AuditFilter, limit: number, before: number | null): Promise<AuditEntry[]> {
    const stretch = { from: 0, to: before ?? Number.MAX_SAFE_INTEGER };
    const { statement, values } = select('DESC', tenantId, filter, stretch, limit);
    return (await this.transactions.query<EntryRow>(statement, values)).map(toEntry);
  }

  /** Up to `limit` of the tenant's entries in a stretch of the log, oldest first. */
  async oldest(tenantId: string, filter: AuditFilter, stretch: Stretch, limit: number): Promise<AuditEntry[]> {
    const { statement, values } = select('ASC', tenantId, filter, stretch, limit);
    return (await this.transactions.query<EntryRow>(statement, values)).map(toEntry);
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

  /** Entries in the tenant's log. */
  async size(tenantId: string): Promise<number> {
    const [row] = await this.transactions.query<{ size: string }>(logSize, [tenantId]);
    return Number(row?.size ?? 0);
  }
}

/** One statement for each set of filters, prepared once. */
function select(
  order: 'ASC' | 'DESC',
  tenantId: string,
  { sessionId, agentId, tool, flagged, since, until }: AuditFilter,
  { from, to }: Stretch,
  limit: number,
): { statement: Statement; values: [tenantId: string, ...rest: unknown[]] } {
  const values: [tenantId: string, ...rest: unknown[]] = [tenantId, from, to, limit];
  const names: string[] = [];
  const conditions: string[] = [];
  const add = (name: string, condition: string, value?: unknown): void => {
    names.push(name);
    if (value !== undefined) values.push(value);
    conditions.push(` AND ${condition.replace('?', `$${values.length}`)}`);
  };
  if (sessionId !== undefined) add('session', 'session_id = ?', sessionId);
  if (agentId !== undefined) add('agent', 'agent_id = ?', agentId);
  if (tool !== undefined) add('tool', 'tool = ?', tool);
  if (flagged !== undefined) add(flagged ? 'flagged' : 'unflagged', `flag_reason IS ${flagged ? 'NOT ' : ''}NULL`);
  // Times only grow along a log, so a time is a position.
  if (since) add('since', 'seq >= audit_position_at($1, ?)', since);
  if (until) add('until', `seq < audit_position_at($1, ?::timestamptz + interval '1 ms')`, until);
  return {
    statement: {
      name: `audit_entry.${order.toLowerCase()}.${names.join('.')}.v2`,
      text: `SELECT ${COLUMNS} FROM audit_entry WHERE tenant_id = $1 AND seq >= $2 AND seq < $3${conditions.join('')}
              ORDER BY seq ${order} LIMIT $4`,
    },
    values,
  };
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

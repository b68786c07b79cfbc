import { fromMinorUnits, microUsd, readsAsOwn, stringifyJson, toDollars } from '@haldir/kernel';
import { type RecordedEntry } from '@haldir/audit-log';
import { type Session, SessionInvalid } from '@haldir/gate';
import { type Cursors, decimal, nextCursor } from '@haldir/http';
import { actorOf, formatOf } from '@haldir/verifier';
import { z } from 'zod';
import { type AuditEntry } from '../audit-trail.repository.js';
import { type AuditTrailService } from '../audit-trail.service.js';
import { describeFilter, toAuditFilter } from './audit-filter.dto.js';

const text = (min: number, max: number) => {
  const expected =
    min === 0 ? `expected a text of at most ${max} characters` : `expected a text of ${min} to ${max} characters`;
  return z.string(expected).min(min, expected).max(max, expected);
};

export const MAX_COST_USD = 1_000_000_000;
const OWN_TOOL = 'expected a name that does not read as one of Haldir’s own';

export const LogAction = z.object({
  session_id: text(1, 256),
  tool: text(0, 330)
    .refine((tool) => !readsAsOwn(tool), OWN_TOOL)
    .default('')
    .describe('Tool or service name; none that reads as Haldir’s own (`haldir.…`)'),
  action: text(1, 4000).describe('Description of the action'),
  details: z
    .union([z.string(), z.record(z.string(), z.unknown())], 'expected a text, an object or null')
    .nullish()
    .meta({ override: { type: ['string', 'null'] } })
    .describe('Additional context; an object is kept as its JSON text'),
  cost_usd: decimal({ decimals: 6, min: 0, max: MAX_COST_USD, rounds: true })
    .default(0)
    .describe('Cost in USD, rounded to the millionth (half to even)'),
});
export type LogAction = z.infer<typeof LogAction>;

/**
 * What is recorded of an action.
 *
 * @throws SessionInvalid without a live session
 */
export function toRecord({ tool, action, details = null, cost_usd: cost }: LogAction, session: Session | null) {
  if (!session) throw new SessionInvalid();
  return {
    source: 'agent' as const,
    sessionId: session.id,
    agentId: session.agentId,
    tool,
    action,
    details: details === null || typeof details === 'string' ? details : stringifyJson(details),
    cost: microUsd(cost),
  };
}

export const ActionLogged = z.object({
  logged: z.literal(true),
  entry_id: z.string(),
  flagged: z.boolean().describe('Whether the action was flagged as anomalous'),
  flag_reason: z.string().nullable(),
});
export type ActionLogged = z.infer<typeof ActionLogged>;

export function toActionLogged({ entryId, flagReason }: RecordedEntry): ActionLogged {
  return { logged: true, entry_id: entryId, flagged: flagReason !== null, flag_reason: flagReason };
}

export const AuditEntryItem = z
  .object({
    entry_id: z.string(),
    session_id: z.string(),
    agent_id: z.string(),
    tool: z.string(),
    action: z.string(),
    cost_usd: z.number(),
    flagged: z.boolean(),
    flag_reason: z.string().nullable(),
    timestamp: z.number().describe('Unix timestamp'),
    details: z.string().nullable(),
    source: z.string().describe('Who wrote it: agent, proxy, session (Haldir, for what a session did) or haldir'),
    leaf_index: z.int().describe('Position in the log, from 0'),
    prev_hash: z.string().describe('Hash of the entry before, hex'),
    entry_hash: z.string().describe('Hash of this entry, hex: its leaf in the Merkle tree'),
    format: z.int().describe('Of the entry: 2 names who acted, 1 was written before entries did'),
    actor: z.string().nullable().describe('Who acted, as people are told; the bare id once that was erased'),
    actor_id: z.string().nullable().describe('Opaque id of who acted; haldir for Haldir itself'),
    context: z
      .string()
      .nullable()
      .describe(
        'JSON text: label, address of the client and trace_id (W3C Trace Context), as far as known; erased with the details',
      ),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntryItem = z.infer<typeof AuditEntryItem>;

export function toAuditEntryItem(entry: AuditEntry): AuditEntryItem {
  return {
    entry_id: entry.entryId,
    session_id: entry.sessionId,
    agent_id: entry.agentId,
    tool: entry.tool,
    action: entry.action,
    cost_usd: toDollars(entry.costMicros),
    flagged: entry.flagReason !== null,
    flag_reason: entry.flagReason,
    timestamp: timestampOf(entry),
    details: entry.details,
    source: entry.source,
    leaf_index: entry.seq,
    prev_hash: entry.prevHash.toString('hex'),
    entry_hash: entry.entryHash.toString('hex'),
    format: formatOf(entry),
    actor: actorOf(entry),
    actor_id: entry.actorId,
    context: entry.context,
  };
}

/** Unix seconds, exact to the microsecond. */
export function timestampOf({ atMicros }: AuditEntry): number {
  return fromMinorUnits(atMicros, 6);
}

export const AuditEntryList = z.object({
  count: z.int(),
  entries: z.array(AuditEntryItem),
  next_cursor: nextCursor.describe(
    'Pass as cursor for the next page; null on the last. With several filters a page may hold few entries, or none, and not be the last: one request looks at so many',
  ),
});
export type AuditEntryList = z.infer<typeof AuditEntryList>;

/** A page of the log, newest first. */
export async function auditPage(
  trail: AuditTrailService,
  cursors: Cursors,
  tenantId: string,
  { limit, cursor, ...query }: Parameters<typeof toAuditFilter>[0] & { limit: number; cursor?: string | undefined },
): Promise<AuditEntryList> {
  const filter = toAuditFilter(query);
  const identity = { tenantId, list: 'audit', filters: describeFilter(filter) };
  const before = cursor === undefined ? null : Number(cursors.decode(identity, cursor)[0]);
  const { entries, lookedTo } = await trail.list(tenantId, filter, limit + 1, before);
  const { items, nextCursor: next } = cursors.page(identity, entries, limit, ({ seq }) => [seq]);
  const further = lookedTo === null ? null : cursors.encode(identity, [lookedTo]);
  return { count: items.length, entries: items.map(toAuditEntryItem), next_cursor: next ?? further };
}

export const DetailsErased = z.object({ erased: z.literal(true), entry_id: z.string() });
export type DetailsErased = z.infer<typeof DetailsErased>;

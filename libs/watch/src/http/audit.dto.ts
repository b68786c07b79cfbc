import { fromMinorUnits, microUsd, readsAsOwn, stringifyJson, toDollars } from '@haldir/kernel';
import { type RecordedEntry, type Share } from '@haldir/audit-log';
import { type Session, SessionInvalid } from '@haldir/gate';
import { type Cursors, decimal, nextCursor, pageQuery, queryTime } from '@haldir/http';
import { type PaidDay } from '@haldir/vault';
import { actorOf, formatOf } from '@haldir/verifier';
import { z } from 'zod';
import { type AuditEntry, type AuditFilter, type SpendService, type SpendSummary } from '../index.js';

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

const filters = {
  session_id: z.string('expected one session id').max(256).optional().describe('Filter by session'),
  agent_id: z.string('expected one agent id').max(128).optional().describe('Filter by agent'),
  tool: z.string('expected one tool name').max(330).optional().describe('Filter by tool name'),
  flagged: z
    .enum(['true', 'false'], 'expected true or false')
    .optional()
    .describe('Only flagged entries, or only those that are not'),
  since: queryTime.optional().describe('Entries from then on: Unix seconds or ISO 8601'),
  until: queryTime.optional().describe('Entries up to then: Unix seconds or ISO 8601'),
};

export const ListAuditEntries = z.object({ ...filters, ...pageQuery });
export type ListAuditEntries = z.infer<typeof ListAuditEntries>;

export const ExportAuditEntries = z.object({
  format: z.enum(['jsonl', 'csv'], 'expected jsonl or csv').default('jsonl').describe('jsonl or csv'),
  ...filters,
});
export type ExportAuditEntries = z.infer<typeof ExportAuditEntries>;

export const ExportManifestQuery = z.object(filters);
export type ExportManifestQuery = z.infer<typeof ExportManifestQuery>;

export function toAuditFilter(query: ExportManifestQuery): AuditFilter {
  return {
    sessionId: query.session_id,
    agentId: query.agent_id,
    tool: query.tool,
    flagged: query.flagged === undefined ? undefined : query.flagged === 'true',
    since: query.since,
    until: query.until,
  };
}

/** The filter as it stands in a manifest, and as a cursor is bound to it. */
export function describeFilter(filter: AuditFilter): Record<string, string | boolean | number> {
  const { sessionId, agentId, tool, flagged, since, until } = filter;
  return {
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
    ...(agentId === undefined ? {} : { agent_id: agentId }),
    ...(tool === undefined ? {} : { tool }),
    ...(flagged === undefined ? {} : { flagged }),
    ...(since === undefined ? {} : { since: since.getTime() / 1000 }),
    ...(until === undefined ? {} : { until: until.getTime() / 1000 }),
  };
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
    ...{ actor: actorOf(entry), actor_id: entry.actorId, context: entry.context },
  };
}

/** Unix seconds, exact to the microsecond. */
export function timestampOf({ atMicros }: AuditEntry): number {
  return fromMinorUnits(atMicros, 6);
}

export const AuditEntryList = z.object({ count: z.int(), entries: z.array(AuditEntryItem), next_cursor: nextCursor });
export type AuditEntryList = z.infer<typeof AuditEntryList>;

export const SpendQuery = z.object({ session_id: filters.session_id, agent_id: filters.agent_id, ...pageQuery });
export type SpendQuery = z.infer<typeof SpendQuery>;

export const SpendAnswer = z.object({
  total_usd: z.number().describe('Cost that entries report'),
  action_count: z.int().describe('Entries'),
  by_tool: z.record(z.string(), z.number()),
  by_agent: z.record(z.string(), z.number()).describe('What entries report, and what was paid, together'),
  payments: z
    .object({
      total_usd: z.number(),
      count: z.int(),
      rows: z
        .array(
          z.object({
            day: z.string().describe('UTC day on which the budget was charged, YYYY-MM-DD'),
            agent_id: z.string(),
            tool: z.string().describe('The priced tool that was called, or haldir.vault for any other payment'),
            total_usd: z.number(),
            count: z.int(),
          }),
        )
        .describe('By day, agent and tool, the last day first; a page of them'),
    })
    .describe('Payments authorized, converted to USD'),
  next_cursor: nextCursor,
});
export type SpendAnswer = z.infer<typeof SpendAnswer>;

/** A page of the summary, which differs from the next one in its rows alone. */
export async function spendPage(
  spending: SpendService,
  cursors: Cursors,
  tenantId: string,
  { session_id: sessionId, agent_id: agentId, limit, cursor }: SpendQuery,
): Promise<SpendAnswer> {
  const identity = { tenantId, list: 'spend', filters: { sessionId, agentId } };
  const [day = '', agent = '', tool = ''] = cursor === undefined ? [] : cursors.decode(identity, cursor).map(String);
  const after = cursor === undefined ? null : { day, agentId: agent, tool };
  const summary = await spending.summary(tenantId, { sessionId, agentId }, limit + 1, after);
  const { items, nextCursor: next } = cursors.page(identity, summary.payments.days, limit, (row) => [
    ...[row.day, row.agentId, row.tool],
  ]);
  return toSpendAnswer(summary, items, next);
}

function toSpendAnswer(summary: SpendSummary, days: readonly PaidDay[], next: string | null): SpendAnswer {
  const { entries, cost, byTool, byAgent, payments } = summary;
  return {
    total_usd: toDollars(cost),
    action_count: entries,
    by_tool: dollarsByName(byTool),
    by_agent: Object.fromEntries([...byAgent].map(([agentId, spent]) => [agentId, toDollars(spent)])),
    payments: {
      total_usd: toDollars(payments.total),
      count: payments.count,
      rows: days.map(({ day, agentId, tool, total, count }) => ({
        ...{ day, agent_id: agentId, tool, count },
        total_usd: toDollars(total),
      })),
    },
    next_cursor: next,
  };
}

function dollarsByName(shares: readonly Share[]): Record<string, number> {
  return Object.fromEntries(shares.map(({ name, cost }) => [name, toDollars(cost)]));
}

export const DetailsErased = z.object({ erased: z.literal(true), entry_id: z.string() });
export type DetailsErased = z.infer<typeof DetailsErased>;

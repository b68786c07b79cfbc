import { fromMinorUnits, microUsd, readsAsOwn, stringifyJson, toDollars } from '@haldir/kernel';
import { type RecordedEntry, type Share } from '@haldir/audit-log';
import { type Session, SessionInvalid } from '@haldir/gate';
import { type Cursors, decimal, nextCursor, pageQuery, queryTime } from '@haldir/http';
import { type PaidDay } from '@haldir/vault';
import { actorOf, formatOf } from '@haldir/verifier';
import { z } from 'zod';
import { type AuditEntry, type AuditFilter, DECISIONS } from '../audit-trail.repository.js';
import { type AuditTrailService } from '../audit-trail.service.js';
import { type SpendService, type SpendSummary } from '../spend.service.js';

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

const CONTAINS_EXPECTED = 'expected a text of 2 to 330 characters';

const filters = {
  session_id: z.string('expected one session id').max(256).optional().describe('Filter by session'),
  agent_id: z.string('expected one agent id').max(128).optional().describe('Filter by agent'),
  tool: z.string('expected one tool name').max(330).optional().describe('Filter by tool name'),
  tool_contains: z
    .string(CONTAINS_EXPECTED)
    .min(2, CONTAINS_EXPECTED)
    .max(330, CONTAINS_EXPECTED)
    .optional()
    .meta({ example: 'mail' })
    .describe('A text within the tool name, small and capital letters of ASCII alike: `mail` finds `GMail.send`'),
  action: z
    .string('expected one action')
    .max(4000)
    .optional()
    .meta({ example: 'tool_call_blocked' })
    .describe('The whole action, as entries show it: `tool_call_blocked`, or what an agent wrote'),
  decision: z
    .enum(DECISIONS, `expected one of ${DECISIONS.join(', ')}`)
    .optional()
    .describe('What was decided about a call, read or prompt of the proxy; no other entry has a decision'),
  rule: z
    .string('expected one id of a policy or approval rule')
    .max(64, 'expected one id of a policy or approval rule')
    .optional()
    .meta({ example: 'pol_… (from addProxyPolicy)' })
    .describe(
      'Id of a policy or approval rule: calls that it was the first to block, requests for approval that it made, and changes of itself. None once the details of the entry were erased',
    ),
  upstream: z
    .string('expected one name of an upstream')
    .max(64, 'expected one name of an upstream')
    .optional()
    .meta({ example: 'everything' })
    .describe('Name of an upstream: calls, reads and prompts whose tool is `<upstream>.…`, whatever was decided'),
  actor: z
    .string('expected one actor')
    .max(256, 'expected one actor')
    .optional()
    .meta({ example: 'hld_AbCdEf0123' })
    .describe(
      'Who acted: `actor_id` as entries show it, or `actor`, which means the id in it: `key:hld_…`, `agent:my-agent (hld_…)`',
    ),
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

export function toAuditFilter(
  query: Omit<ExportManifestQuery, 'flagged'> & { flagged?: string | boolean },
): AuditFilter {
  return {
    sessionId: query.session_id,
    agentId: query.agent_id,
    tool: query.tool,
    toolContains: query.tool_contains,
    action: query.action,
    decision: query.decision,
    rule: query.rule,
    upstream: query.upstream,
    actorId: query.actor === undefined ? undefined : toActorId(query.actor),
    flagged: query.flagged === undefined ? undefined : String(query.flagged) === 'true',
    since: query.since,
    until: query.until,
  };
}

/** The id in what entries show of an actor. */
function toActorId(actor: string): string {
  if (actor.startsWith('key:')) return actor.slice('key:'.length);
  const open = actor.startsWith('agent:') && actor.endsWith(')') ? actor.lastIndexOf('(') : -1;
  return open < 0 ? actor : actor.slice(open + 1, -1);
}

/** The filter as it stands in a manifest, and as a cursor is bound to it. */
export function describeFilter(filter: AuditFilter): Record<string, string | boolean | number> {
  const { since, until } = filter;
  const said = {
    session_id: filter.sessionId,
    agent_id: filter.agentId,
    tool: filter.tool,
    tool_contains: filter.toolContains,
    action: filter.action,
    decision: filter.decision,
    rule: filter.rule,
    upstream: filter.upstream,
    actor: filter.actorId,
    flagged: filter.flagged,
    since: since && since.getTime() / 1000,
    until: until && until.getTime() / 1000,
  };
  return Object.fromEntries(
    Object.entries(said).filter((entry): entry is [string, string | boolean | number] => entry[1] !== undefined),
  );
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

import { pageQuery, queryTime } from '@haldir/http';
import { z } from 'zod';
import { type AuditFilter, DECISIONS } from '../audit-trail.repository.js';

const CONTAINS_EXPECTED = 'expected a text of 2 to 330 characters';

export const auditFilters = {
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

export const ListAuditEntries = z.object({ ...auditFilters, ...pageQuery });
export type ListAuditEntries = z.infer<typeof ListAuditEntries>;

export const ExportAuditEntries = z.object({
  format: z.enum(['jsonl', 'csv'], 'expected jsonl or csv').default('jsonl').describe('jsonl or csv'),
  ...auditFilters,
});
export type ExportAuditEntries = z.infer<typeof ExportAuditEntries>;

export const ExportManifestQuery = z.object(auditFilters);
export type ExportManifestQuery = z.infer<typeof ExportManifestQuery>;

const { until: _, ...openFilters } = auditFilters;

/** Without an end. */
export const FollowAuditEntries = z.object(openFilters);
export type FollowAuditEntries = z.infer<typeof FollowAuditEntries>;

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

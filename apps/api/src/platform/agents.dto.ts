import { type MicroUsd, toDollars, toUnixSeconds } from '@haldir/kernel';
import { type Activity } from '@haldir/audit-log';
import { type Freeze } from '@haldir/gate';
import { nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';

const REASON_EXPECTED = 'expected a text of 1 to 1,000 characters';

export const FreezeBody = z.object({
  reason: z
    .string(REASON_EXPECTED)
    .min(1, REASON_EXPECTED)
    .max(1000, REASON_EXPECTED)
    .describe('Why, for the log, the event and whoever asks later'),
});
export type FreezeBody = z.infer<typeof FreezeBody>;

export const ListAgents = z.object({
  agent_id: z.string('expected one agent id').max(128, 'expected one agent id').optional().describe('That agent alone'),
  ...pageQuery,
  limit: pageQuery.limit.describe('Max agents to return'),
});
export type ListAgents = z.infer<typeof ListAgents>;

const Frozen = z
  .object({
    reason: z.string(),
    by: z.string().describe('The principal that did it'),
    at: z.number().describe('Unix timestamp'),
  })
  .meta({ id: 'Freeze' });

export const AgentItem = z
  .object({
    agent_id: z.string(),
    active_sessions: z.int(),
    actions: z.int().describe('Entries of the log'),
    flagged: z.int().describe('Of these, flagged'),
    spent_usd: z.number().describe('Payments authorized and captured so far'),
    last_seen: z.number().describe('Unix timestamp of the last entry'),
    frozen: Frozen.nullable().describe('Null unless the agent is frozen by itself'),
  })
  .meta({ id: 'Agent' });
export type AgentItem = z.infer<typeof AgentItem>;

export const AgentList = z.object({
  agents: z.array(AgentItem),
  count: z.int(),
  tenant_frozen: Frozen.nullable().describe('Null unless every agent is frozen'),
  next_cursor: nextCursor,
});
export type AgentList = z.infer<typeof AgentList>;

export function toFrozen(freeze: Freeze | null | undefined): z.infer<typeof Frozen> | null {
  return freeze ? { reason: freeze.reason, by: freeze.by, at: toUnixSeconds(freeze.at) } : null;
}

export function toAgentItem(
  { agentId, entries, flagged, lastSeen }: Activity,
  of: { sessions: Map<string, number>; spent: Map<string, MicroUsd>; freezes: Map<string, Freeze> },
): AgentItem {
  return {
    agent_id: agentId,
    active_sessions: of.sessions.get(agentId) ?? 0,
    actions: entries,
    flagged,
    spent_usd: toDollars(of.spent.get(agentId) ?? (0n as MicroUsd)),
    last_seen: toUnixSeconds(lastSeen),
    frozen: toFrozen(of.freezes.get(agentId)),
  };
}

export const AgentFrozen = z.object({
  frozen: z.literal(true),
  agent_id: z.string().nullable().describe('Null for every agent of the tenant'),
  changed: z.boolean().describe('False when it was frozen already; the first reason stands'),
  denied_approvals: z.int().describe('Requests for approval that waited, and are denied'),
  revoked_grants: z
    .int()
    .describe('Approvals of several calls that were not used up, and let nothing through any more'),
});
export type AgentFrozen = z.infer<typeof AgentFrozen>;

export const AgentUnfrozen = z.object({
  frozen: z.literal(false),
  agent_id: z.string().nullable().describe('Null for every agent of the tenant'),
  changed: z.boolean().describe('False when it was not frozen'),
});
export type AgentUnfrozen = z.infer<typeof AgentUnfrozen>;

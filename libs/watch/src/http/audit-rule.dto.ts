import { microUsd, toDollars, toUnixSeconds } from '@haldir/kernel';
import { decimal, nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { AUDIT_RULE_TYPES, type AuditRule, type AuditRuleLimits } from '../audit-rule.js';
import { MAX_COST_USD } from './audit.dto.js';

const whole = (min: number, max: number) => {
  const expected = `expected a whole number from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
};

export const AddAuditRule = z.discriminatedUnion(
  'type',
  [
    z.object({
      type: z.literal('rapid_fire'),
      max_actions: whole(1, 1000)
        .default(60)
        .describe('Actions of one agent within the window that are not flagged yet'),
      window_seconds: whole(1, 3600).default(60),
    }),
    z.object({
      type: z.literal('high_cost'),
      max_usd: decimal({ decimals: 6, min: 0, max: MAX_COST_USD }).default(100).describe('Cost of one action'),
    }),
    z.object({
      type: z.literal('unusual_tool'),
      min_tool_calls: whole(1, 1_000_000)
        .default(20)
        .describe('Tool calls of an agent after which a new tool is unusual'),
    }),
  ],
  `expected one of ${AUDIT_RULE_TYPES.join(', ')}`,
);
export type AddAuditRule = z.infer<typeof AddAuditRule>;

export function toLimits(body: AddAuditRule): AuditRuleLimits {
  switch (body.type) {
    case 'rapid_fire':
      return { type: body.type, maxActions: body.max_actions, windowSeconds: body.window_seconds };
    case 'high_cost':
      return { type: body.type, maxCost: microUsd(body.max_usd) };
    case 'unusual_tool':
      return { type: body.type, minToolCalls: body.min_tool_calls };
  }
}

export const AuditRuleAdded = z.object({ added: z.literal(true), type: z.string(), id: z.string() });
export type AuditRuleAdded = z.infer<typeof AuditRuleAdded>;

export const ListAuditRules = z.object(pageQuery);
export type ListAuditRules = z.infer<typeof ListAuditRules>;

const AuditRuleItem = z
  .object({
    id: z.string(),
    type: z.enum(AUDIT_RULE_TYPES),
    max_actions: z.int().optional(),
    window_seconds: z.int().optional(),
    max_usd: z.number().optional(),
    min_tool_calls: z.int().optional(),
    created_at: z.number().describe('Unix timestamp'),
  })
  .meta({ id: 'AuditRule' });
type AuditRuleItem = z.infer<typeof AuditRuleItem>;

export const AuditRuleList = z.object({ rules: z.array(AuditRuleItem), count: z.int(), next_cursor: nextCursor });
export type AuditRuleList = z.infer<typeof AuditRuleList>;

export function toAuditRuleItem({ id, limits, createdAt }: AuditRule): AuditRuleItem {
  return { id, type: limits.type, ...parametersOf(limits), created_at: toUnixSeconds(createdAt) };
}

function parametersOf(limits: AuditRuleLimits): Partial<AuditRuleItem> {
  switch (limits.type) {
    case 'rapid_fire':
      return { max_actions: limits.maxActions, window_seconds: limits.windowSeconds };
    case 'high_cost':
      return { max_usd: toDollars(limits.maxCost) };
    case 'unusual_tool':
      return { min_tool_calls: limits.minToolCalls };
  }
}

export const AuditRuleRemoved = z.object({ deleted: z.literal(true), id: z.string() });
export type AuditRuleRemoved = z.infer<typeof AuditRuleRemoved>;

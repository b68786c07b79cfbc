import { InvalidInput, type MicroUsd, microUsd, toDollars, toUnixSeconds } from '@haldir/kernel';
import { decimal, nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type ApprovalRule } from '../approval-rule.entity.js';
import { type NewApprovalRule } from '../approval-rule.service.js';
import { APPROVAL_RULE_TYPES } from '../approval-subject.js';

export const MAX_TOOLS = 1000;
const toolName = z
  .string('expected a tool name of 1 to 330 characters')
  .min(1, 'expected a tool name of 1 to 330 characters')
  .max(330, 'expected a tool name of 1 to 330 characters');

export const AddApprovalRule = z.object({
  type: z.enum(APPROVAL_RULE_TYPES, `expected one of ${APPROVAL_RULE_TYPES.join(', ')}`).describe('Rule type'),
  threshold: decimal({ decimals: 6, min: 0, max: 1_000_000_000 })
    .default(0)
    .describe('Threshold for spend_over rules (USD)'),
  tools: z
    .array(toolName, `expected a list of at most ${MAX_TOOLS} tool names`)
    .max(MAX_TOOLS, `expected a list of at most ${MAX_TOOLS} tool names`)
    .nullish()
    .describe('Tool names for tool_blocked rules'),
});
export type AddApprovalRule = z.infer<typeof AddApprovalRule>;

/** @throws InvalidInput when a `tool_blocked` rule names no tools */
export function toNewApprovalRule({ type, threshold, tools }: AddApprovalRule): NewApprovalRule {
  if (type === 'spend_over') return { type, threshold: microUsd(threshold) };
  if (type !== 'tool_blocked') return { type };
  if (!tools || tools.length === 0)
    throw new InvalidInput('tools: expected at least one tool name for a tool_blocked rule');
  return { type, tools: [...new Set(tools)] };
}

export const ApprovalRuleAdded = z.object({ added: z.literal(true), type: z.string(), id: z.string() });
export type ApprovalRuleAdded = z.infer<typeof ApprovalRuleAdded>;

export const ListApprovalRules = z.object({ ...pageQuery });
export type ListApprovalRules = z.infer<typeof ListApprovalRules>;

const ApprovalRuleItem = z
  .object({
    id: z.string(),
    type: z.enum(APPROVAL_RULE_TYPES),
    threshold: z.number().optional().describe('USD; of spend_over rules'),
    tools: z.array(z.string()).optional().describe('Of tool_blocked rules'),
    created_at: z.number().describe('Unix timestamp'),
  })
  .meta({ id: 'ApprovalRule' });
type ApprovalRuleItem = z.infer<typeof ApprovalRuleItem>;

export const ApprovalRuleList = z.object({ count: z.int(), rules: z.array(ApprovalRuleItem), next_cursor: nextCursor });
export type ApprovalRuleList = z.infer<typeof ApprovalRuleList>;

export function toApprovalRuleItem(rule: ApprovalRule): ApprovalRuleItem {
  return {
    id: rule.id,
    type: rule.type,
    ...(rule.threshold === null ? {} : { threshold: toDollars(rule.threshold satisfies MicroUsd) }),
    ...(rule.tools === null ? {} : { tools: rule.tools }),
    created_at: toUnixSeconds(rule.createdAt),
  };
}

export const ApprovalRuleRemoved = z.object({ deleted: z.literal(true), id: z.string() });
export type ApprovalRuleRemoved = z.infer<typeof ApprovalRuleRemoved>;

import { type MicroUsd } from '@haldir/kernel';

export const AUDIT_RULE_TYPES = ['rapid_fire', 'high_cost', 'unusual_tool'] as const;
export type AuditRuleType = (typeof AUDIT_RULE_TYPES)[number];

/**
 * When an entry is flagged as it is appended: more than `maxActions` of one agent within the window; one action over
 * `maxCost`; a tool that an agent with at least `minToolCalls` tool calls never used before.
 */
export type AuditRuleLimits =
  | { type: 'rapid_fire'; maxActions: number; windowSeconds: number }
  | { type: 'high_cost'; maxCost: MicroUsd }
  | { type: 'unusual_tool'; minToolCalls: number };

/** A tenant has at most one rule of a type, and starts with one of each. */
export interface AuditRule {
  id: string;
  limits: AuditRuleLimits;
  createdAt: Date;
}

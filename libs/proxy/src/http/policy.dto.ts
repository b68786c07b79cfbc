import { InvalidInput } from '@haldir/kernel';
import { decimal, nextCursor } from '@haldir/http';
import { z } from 'zod';
import { type Policy, POLICY_TYPES, type PolicyRule } from '../index.js';
import { toolName, wholePageQuery } from './fields.js';

const MAX_TOOLS = 1000;
const MAX_PER_MINUTE = 1_000_000;
const TOOLS_EXPECTED = `expected a list of at most ${MAX_TOOLS} tool names`;
const PER_MINUTE_EXPECTED = `expected a whole number from 0 to ${MAX_PER_MINUTE}`;
const HOUR_EXPECTED = 'expected a whole hour from 0 to 24';

const hour = z.int(HOUR_EXPECTED).min(0, HOUR_EXPECTED).max(24, HOUR_EXPECTED).nullish();

export const AddProxyPolicy = z.object({
  type: z.enum(POLICY_TYPES, `expected one of ${POLICY_TYPES.join(', ')}`).describe('Policy type'),
  tool: toolName.nullish().describe('Tool name (for block_tool)'),
  tools: z
    .array(toolName, TOOLS_EXPECTED)
    .max(MAX_TOOLS, TOOLS_EXPECTED)
    .nullish()
    .describe('Tool list (for allow_list / deny_list)'),
  max: decimal({ decimals: 6, min: 0, max: 1_000_000_000 }).nullish().describe('Max USD (spend_limit)'),
  max_per_minute: z
    .int(PER_MINUTE_EXPECTED)
    .min(0, PER_MINUTE_EXPECTED)
    .max(MAX_PER_MINUTE, PER_MINUTE_EXPECTED)
    .nullish()
    .describe('Max calls per minute (rate_limit)'),
  start_hour: hour.describe('Start hour UTC (time_window)'),
  end_hour: hour.describe('End hour UTC (time_window)'),
});
export type AddProxyPolicy = z.infer<typeof AddProxyPolicy>;

/** @throws InvalidInput when a parameter that the type needs is missing */
export function toPolicyRule(body: AddProxyPolicy): PolicyRule {
  const { type } = body;
  const needed = <Name extends keyof AddProxyPolicy>(name: Name): NonNullable<AddProxyPolicy[Name]> => {
    const value = body[name];
    if (value === undefined || value === null) throw new InvalidInput(`${name}: expected for a ${type} policy`);
    return value;
  };
  switch (type) {
    case 'block_tool':
      return { type, tool: needed('tool') };
    case 'allow_list':
    case 'deny_list':
      return { type, tools: [...new Set(needed('tools'))] };
    case 'spend_limit':
      return { type, max: needed('max') };
    case 'rate_limit':
      return { type, maxPerMinute: needed('max_per_minute') };
    case 'time_window':
      return { type, startHour: needed('start_hour'), endHour: needed('end_hour') };
  }
}

export const ProxyPolicyAdded = z.object({ added: z.literal(true), type: z.string(), id: z.string() });
export type ProxyPolicyAdded = z.infer<typeof ProxyPolicyAdded>;

export const ListProxyPolicies = z.object(wholePageQuery);
export type ListProxyPolicies = z.infer<typeof ListProxyPolicies>;

const ProxyPolicy = z
  .object({
    id: z.string(),
    type: z.enum(POLICY_TYPES),
    tool: z.string().optional().describe('Of block_tool'),
    tools: z.array(z.string()).optional().describe('Of allow_list and deny_list'),
    max: z.number().optional().describe('Of spend_limit, USD per call'),
    max_per_minute: z.int().optional().describe('Of rate_limit, calls of one agent'),
    start_hour: z.int().optional().describe('Of time_window, UTC'),
    end_hour: z.int().optional().describe('Of time_window, UTC, exclusive'),
  })
  .meta({ id: 'ProxyPolicy' });
type ProxyPolicy = z.infer<typeof ProxyPolicy>;

export function toProxyPolicy({ id, rule }: Policy): ProxyPolicy {
  switch (rule.type) {
    case 'rate_limit':
      return { id, type: rule.type, max_per_minute: rule.maxPerMinute };
    case 'time_window':
      return { id, type: rule.type, start_hour: rule.startHour, end_hour: rule.endHour };
    case 'block_tool':
    case 'allow_list':
    case 'deny_list':
    case 'spend_limit':
      return { id, ...rule };
  }
}

export const ProxyPolicyList = z.object({
  policies: z.array(ProxyPolicy),
  count: z.int(),
  next_cursor: nextCursor,
});
export type ProxyPolicyList = z.infer<typeof ProxyPolicyList>;

export const ProxyPolicyRemoved = z.object({ deleted: z.literal(true), id: z.string() });
export type ProxyPolicyRemoved = z.infer<typeof ProxyPolicyRemoved>;

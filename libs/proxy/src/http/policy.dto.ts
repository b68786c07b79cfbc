import { InvalidInput } from '@haldir/kernel';
import { decimal, nextCursor } from '@haldir/http';
import { z } from 'zod';
import {
  type Policy,
  POLICY_MODES,
  POLICY_TYPES,
  type PolicyRule,
  type PolicyScope,
  type PolicyTerms,
} from '../policies/policy.js';
import { toolName, wholePageQuery } from './fields.js';

const MAX_TOOLS = 1000;
const MAX_PER_MINUTE = 1_000_000;
const TOOLS_EXPECTED = `expected a list of at most ${MAX_TOOLS} tool names`;
const PER_MINUTE_EXPECTED = `expected a whole number from 0 to ${MAX_PER_MINUTE}`;
const HOUR_EXPECTED = 'expected a whole hour from 0 to 24';

const hour = z.int(HOUR_EXPECTED).min(0, HOUR_EXPECTED).max(24, HOUR_EXPECTED).nullish();

const MAX_PATTERNS = 100;
const MAX_PRIORITY = 1000;
const PATTERNS_EXPECTED = `expected a list of at most ${MAX_PATTERNS} patterns of 1 to 330 characters`;
const PRIORITY_EXPECTED = `expected a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY}`;
const MODE_EXPECTED = `expected ${POLICY_MODES.join(' or ')}`;

const patterns = z
  .array(z.string(PATTERNS_EXPECTED).min(1, PATTERNS_EXPECTED).max(330, PATTERNS_EXPECTED), PATTERNS_EXPECTED)
  .max(MAX_PATTERNS, PATTERNS_EXPECTED)
  .optional();
const scope = z
  .object({
    upstreams: patterns.describe('Names of upstreams'),
    agents: patterns.describe('Agent IDs'),
    tools: patterns.describe('Tool names, bare or `upstream.tool`'),
  })
  .optional()
  .describe(
    'The calls the policy is about: exact names, or patterns in which `*` stands for anything. All that are given must match; an empty or absent list matches all.',
  );
const priority = z
  .int(PRIORITY_EXPECTED)
  .min(-MAX_PRIORITY, PRIORITY_EXPECTED)
  .max(MAX_PRIORITY, PRIORITY_EXPECTED)
  .optional()
  .describe('Of the policies that refuse a call, the one of the highest priority is named; then the oldest. Default 0');
const mode = z
  .enum(POLICY_MODES, MODE_EXPECTED)
  .optional()
  .describe(
    'With `log_only` nothing is refused or held for the policy: what it would have done is in the audit entry of each call. Default `enforce`',
  );

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
  mode,
  scope,
  priority,
});
export type AddProxyPolicy = z.infer<typeof AddProxyPolicy>;

/** @throws InvalidInput when a parameter that the type needs is missing */
export function toNewPolicy(body: AddProxyPolicy): Omit<Policy, 'id'> {
  return {
    rule: toPolicyRule(body),
    mode: body.mode ?? 'enforce',
    scope: toPolicyScope(body.scope),
    priority: body.priority ?? 0,
  };
}

export const ChangeProxyPolicy = z.object({ mode, scope, priority });
export type ChangeProxyPolicy = z.infer<typeof ChangeProxyPolicy>;

/** What is left out stays. */
export function toTerms({ mode, scope, priority }: ChangeProxyPolicy): Partial<PolicyTerms> {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(scope === undefined ? {} : { scope: toPolicyScope(scope) }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function toPolicyScope(scope: AddProxyPolicy['scope']): PolicyScope {
  const distinct = (list: readonly string[] = []): string[] => [...new Set(list)];
  return { upstreams: distinct(scope?.upstreams), agents: distinct(scope?.agents), tools: distinct(scope?.tools) };
}

function toPolicyRule(body: AddProxyPolicy): PolicyRule {
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
    case 'require_approval':
      refuseTools(body);
      return { type };
  }
}

/** Ignored in silence, they would leave a policy about every tool. */
function refuseTools({ type, tool, tools }: AddProxyPolicy): void {
  for (const [name, value] of Object.entries({ tool, tools })) {
    if (value !== undefined && value !== null) {
      throw new InvalidInput(`${name}: not of a ${type} policy; name tools in scope.tools`);
    }
  }
}

export const ProxyPolicyAdded = z.object({ added: z.literal(true), type: z.string(), id: z.string() });
export type ProxyPolicyAdded = z.infer<typeof ProxyPolicyAdded>;

export const ListProxyPolicies = z.object({
  type: z
    .enum(POLICY_TYPES, `expected one of ${POLICY_TYPES.join(', ')}`)
    .optional()
    .describe('Filter by type'),
  mode: z
    .enum(POLICY_MODES, `expected one of ${POLICY_MODES.join(', ')}`)
    .optional()
    .describe('Filter by mode'),
  upstream: z
    .string('expected one name of an upstream')
    .max(64, 'expected one name of an upstream')
    .optional()
    .meta({ example: 'everything' })
    .describe('Those that hold for calls to the upstream: whose scope names it, or no upstream at all'),
  ...wholePageQuery,
});
export type ListProxyPolicies = z.infer<typeof ListProxyPolicies>;

export const ProxyPolicy = z
  .object({
    id: z.string(),
    type: z.enum(POLICY_TYPES),
    tool: z.string().optional().describe('Of block_tool'),
    tools: z.array(z.string()).optional().describe('Of allow_list and deny_list'),
    max: z.number().optional().describe('Of spend_limit, USD per call'),
    max_per_minute: z.int().optional().describe('Of rate_limit, calls of one agent'),
    start_hour: z.int().optional().describe('Of time_window, UTC'),
    end_hour: z.int().optional().describe('Of time_window, UTC, exclusive'),
    mode: z.enum(POLICY_MODES),
    scope: z
      .object({ upstreams: z.array(z.string()), agents: z.array(z.string()), tools: z.array(z.string()) })
      .describe('An empty list matches all'),
    priority: z.int(),
  })
  .meta({ id: 'ProxyPolicy' });
export type ProxyPolicy = z.infer<typeof ProxyPolicy>;

export function toProxyPolicy({ id, rule, ...terms }: Policy): ProxyPolicy {
  return { id, ...toParameters(rule), ...toShownTerms(terms) };
}

function toParameters(rule: PolicyRule): Pick<ProxyPolicy, 'type'> & Partial<ProxyPolicy> {
  switch (rule.type) {
    case 'rate_limit':
      return { type: rule.type, max_per_minute: rule.maxPerMinute };
    case 'time_window':
      return { type: rule.type, start_hour: rule.startHour, end_hour: rule.endHour };
    case 'block_tool':
    case 'allow_list':
    case 'deny_list':
    case 'spend_limit':
    case 'require_approval':
      return rule;
  }
}

function toShownTerms({ mode, priority, scope }: PolicyTerms): Pick<ProxyPolicy, 'mode' | 'priority' | 'scope'> {
  const { upstreams, agents, tools } = scope;
  return { mode, priority, scope: { upstreams: [...upstreams], agents: [...agents], tools: [...tools] } };
}

export const ProxyPolicyList = z.object({
  policies: z.array(ProxyPolicy),
  count: z.int(),
  next_cursor: nextCursor,
});
export type ProxyPolicyList = z.infer<typeof ProxyPolicyList>;

export const ProxyPolicyRemoved = z.object({ deleted: z.literal(true), id: z.string() });
export type ProxyPolicyRemoved = z.infer<typeof ProxyPolicyRemoved>;

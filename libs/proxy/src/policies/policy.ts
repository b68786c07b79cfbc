import { type Amount } from './amount.js';
import { isCoveredBy, type NamedSubject } from './subject-names.js';

export const POLICY_TYPES = [
  'block_tool',
  'allow_list',
  'deny_list',
  'spend_limit',
  'rate_limit',
  'time_window',
  'require_approval',
] as const;
export type PolicyType = (typeof POLICY_TYPES)[number];

export const POLICY_MODES = ['enforce', 'log_only'] as const;
/** With `log_only`, what the policy would have done is written down, and nothing is refused or held for it. */
export type PolicyMode = (typeof POLICY_MODES)[number];

/** What a policy says, by its type. */
export type PolicyRule =
  | { type: 'block_tool'; tool: string }
  | { type: 'allow_list'; tools: string[] }
  | { type: 'deny_list'; tools: string[] }
  | { type: 'spend_limit'; max: number }
  | { type: 'rate_limit'; maxPerMinute: number }
  | { type: 'time_window'; startHour: number; endHour: number }
  | { type: 'require_approval' };

/** The calls that a policy is about, by patterns in which `*` stands for anything; an empty list means all. */
export interface PolicyScope {
  upstreams: readonly string[];
  agents: readonly string[];
  /** Of bare or `upstream.tool` names. */
  tools: readonly string[];
}

/** What can be changed of a policy. */
export interface PolicyTerms {
  mode: PolicyMode;
  scope: PolicyScope;
  /** The higher comes first; of the same priority, the older. */
  priority: number;
}

export interface Policy extends PolicyTerms {
  id: string;
  rule: PolicyRule;
}

/** A call as the policies see it. */
export interface PolicySubject extends NamedSubject {
  /** Null for a tool that is not known and does not say whose it is. */
  upstream: string | null;
  agentId: string;
  amount: Amount;
  at: Date;
}

/** What a scope is about. */
type ScopedSubject = Pick<PolicySubject, 'upstream' | 'toolNames' | 'modelNames' | 'isAddress' | 'agentId'>;

/** The policies whose scope a call is in, in their order. */
export interface ApplyingPolicies {
  enforced: readonly Policy[];
  logOnly: readonly Policy[];
}

/** Calls an agent may make in any minute, by policy. */
export interface RateLimit {
  policyId: string;
  maxPerMinute: number;
}

const NOTHING: ApplyingPolicies = { enforced: [], logOnly: [] };

export function applying(policies: readonly Policy[], subject: ScopedSubject): ApplyingPolicies {
  if (policies.length === 0) return NOTHING;
  const inScope = policies.filter(({ scope }) => isInScope(scope, subject));
  return {
    enforced: inScope.filter(({ mode }) => mode === 'enforce'),
    logOnly: inScope.filter(({ mode }) => mode === 'log_only'),
  };
}

export function isInScope(
  { upstreams, agents, tools }: PolicyScope,
  { upstream, agentId, ...named }: ScopedSubject,
): boolean {
  return (
    (upstreams.length === 0 || (upstream !== null && upstreams.some((pattern) => matches(pattern, upstream)))) &&
    (agents.length === 0 || agents.some((pattern) => matches(pattern, agentId))) &&
    (tools.length === 0 || tools.some((pattern) => isCoveredBy(pattern, named, matches)))
  );
}

/** Whether `text` is the pattern, in which each `*` stands for any characters, or none. Linear in both, whatever they are. */
export function matches(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return text === pattern;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let from = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found === -1 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

export function rateLimits(policies: readonly Policy[]): RateLimit[] {
  return policies.flatMap(({ id, rule }) =>
    rule.type === 'rate_limit' ? [{ policyId: id, maxPerMinute: rule.maxPerMinute }] : [],
  );
}

export function approvalsRequired(policies: readonly Policy[]): Policy[] {
  return policies.filter(({ rule }) => rule.type === 'require_approval');
}

/** The tools that a policy blocks or allows by name; null for one that decides by something else. */
export function toolsNamedBy(rule: PolicyRule): readonly string[] | null {
  switch (rule.type) {
    case 'block_tool':
      return [rule.tool];
    case 'deny_list':
    case 'allow_list':
      return rule.tools;
    default:
      return null;
  }
}

/** Whether an hour lies in [start, end), which wraps past midnight when it starts after it ends. */
export function isWithin(hour: number, start: number, end: number): boolean {
  return start <= end ? hour >= start && hour < end : hour >= start || hour < end;
}

export const POLICY_TYPES = [
  'block_tool',
  'allow_list',
  'deny_list',
  'spend_limit',
  'rate_limit',
  'time_window',
] as const;
export type PolicyType = (typeof POLICY_TYPES)[number];

/** What a policy says, by its type. */
export type PolicyRule =
  | { type: 'block_tool'; tool: string }
  | { type: 'allow_list'; tools: string[] }
  | { type: 'deny_list'; tools: string[] }
  | { type: 'spend_limit'; max: number }
  | { type: 'rate_limit'; maxPerMinute: number }
  | { type: 'time_window'; startHour: number; endHour: number };

export interface Policy {
  id: string;
  rule: PolicyRule;
}

/** A call as the policies see it. */
export interface PolicySubject {
  /** Every name a policy may mean the tool by: bare and `upstream.tool`. */
  toolNames: readonly string[];
  /** Of the call's `amount` argument; null when it has none. */
  amount: number | null;
  at: Date;
}

/** The policy that refuses a call, and why, in words. */
export interface Block {
  policyId: string;
  type: PolicyType;
  reason: string;
}

/**
 * The first of `policies` that refuses the call, as far as that can be told from the call alone; null when none does.
 * Rates depend on other calls: `rateLimits` names those that remain to be asked.
 */
export function firstBlock(policies: readonly Policy[], subject: PolicySubject): Block | null {
  for (const { id, rule } of policies) {
    const reason = refusal(rule, subject);
    if (reason !== null) return { policyId: id, type: rule.type, reason };
  }
  return null;
}

/** Calls an agent may make in any minute, by policy. */
export interface RateLimit {
  policyId: string;
  maxPerMinute: number;
}

export function rateLimits(policies: readonly Policy[]): RateLimit[] {
  return policies.flatMap(({ id, rule }) =>
    rule.type === 'rate_limit' ? [{ policyId: id, maxPerMinute: rule.maxPerMinute }] : [],
  );
}

export function rateBlock({ policyId, maxPerMinute }: RateLimit): Block {
  return { policyId, type: 'rate_limit', reason: `Rate limit of ${maxPerMinute} calls per minute reached` };
}

function refusal(rule: PolicyRule, { toolNames, amount, at }: PolicySubject): string | null {
  const isListed = (tools: readonly string[]): boolean => toolNames.some((name) => tools.includes(name));
  switch (rule.type) {
    case 'block_tool':
      return isListed([rule.tool]) ? 'The tool is blocked' : null;
    case 'deny_list':
      return isListed(rule.tools) ? 'The tool is on a deny list' : null;
    case 'allow_list':
      return isListed(rule.tools) ? null : 'The tool is not on the allow list';
    case 'spend_limit':
      return amount !== null && amount > rule.max ? `The amount is over the limit of ${rule.max} USD per call` : null;
    case 'time_window':
      return isWithin(at.getUTCHours(), rule.startHour, rule.endHour)
        ? null
        : `Calls are allowed from ${rule.startHour} to ${rule.endHour} UTC only`;
    case 'rate_limit':
      return null;
  }
}

/** Whether an hour lies in [start, end), which wraps past midnight when it starts after it ends. */
function isWithin(hour: number, start: number, end: number): boolean {
  return start <= end ? hour >= start && hour < end : hour >= start || hour < end;
}

/** The `amount` argument of a call: a number, or a text that is nothing but one; null otherwise. */
export function amountOf(args: Readonly<Record<string, unknown>>): number | null {
  const amount = Object.hasOwn(args, 'amount') ? args['amount'] : undefined;
  if (typeof amount === 'number') return amount;
  if (typeof amount === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\s*$/.test(amount))
    return Number(amount);
  return null;
}

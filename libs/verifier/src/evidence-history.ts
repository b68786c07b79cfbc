/** The part of an entry by which it is sorted into a history. */
interface Said {
  source: unknown;
  action: unknown;
}

/** What changed what is allowed: policies, approval and flag rules, settings, budgets, prices, upstreams and what was accepted of their tools. */
const POLICIES =
  /^(policy|approval_rule|approval_settings|audit_rule|budget|upstream|tool_price|agent_frozen|agent_unfrozen|tenant_frozen|tenant_unfrozen)(_|$)|^(tool_priced|tool_accepted|tool_drift|tool_drift_ended)$/;
/** Who could come, in which role and with what: keys, people, passkeys, sign-ins. */
const ACCESS = /^(api_key|person|passkey|first_owner)_/;

/** The histories of a package. What stands in them is a part of its format: another choice of actions is another version of it. */
export const HISTORIES = ['policy-history.jsonl', 'access-history.jsonl'] as const;
export type History = (typeof HISTORIES)[number];

/** The history that an entry of Haldir's own belongs to; null for every other entry. */
export function historyOf({ source, action }: Said): History | null {
  if (source !== 'haldir' || typeof action !== 'string') return null;
  if (ACCESS.test(action)) return 'access-history.jsonl';
  return POLICIES.test(action) ? 'policy-history.jsonl' : null;
}

import { type Actor, type MicroUsd } from '@haldir/kernel';
import { type Session } from '@haldir/gate';
import { type GrantableCall } from './grant-terms.js';

/** What a session is about to do, as the rules see it. */
export interface ApprovalSubject {
  /** Asks. */
  actor: Actor;
  sessionId: string;
  agentId: string;
  /** As people are told of it. */
  tool: string;
  /** Every name a rule may mean it by: bare and `upstream.tool`. */
  toolNames: readonly string[];
  action: string;
  /** Null when the action has no amount; unclear when it has one that is no plain number, which any limit holds back. */
  amount: MicroUsd | 'unclear' | null;
  destructive: boolean;
  reason: string;
  /** What whoever decides is shown: JSON text, as `shownDetails` makes it. */
  details: string | null;
  /** 32 bytes that stand for the exact call: anything else has another digest. */
  digest: Buffer;
  /** What others like it would have, too; null where nobody may approve more than this one. */
  grantable: GrantableCall | null;
}

/** The rule, or the policy of the proxy, that holds a subject back, and why, in words for people. */
export interface RuleMatch {
  ruleId: string;
  /** Ids of what would hold it back, too. */
  otherRuleIds: readonly string[];
  type: ApprovalRuleType | 'require_approval';
  reason: string;
}

/** What holds something back, all of it. */
export function ruleIdsOf({
  ruleId,
  otherRuleIds,
}: {
  ruleId: string | null;
  otherRuleIds: readonly string[];
}): string[] {
  return [...(ruleId === null ? [] : [ruleId]), ...otherRuleIds];
}

export const APPROVAL_RULE_TYPES = ['spend_over', 'tool_blocked', 'destructive', 'all'] as const;
export type ApprovalRuleType = (typeof APPROVAL_RULE_TYPES)[number];

/**
 * Whose a call is, as its digest has it: an agent key's, in whatever session it is made, and else that session's. One that was opened from
 * another is on its own: what was approved for others of the key is not for those that it was handed to.
 */
export function holderOf({ agent, id }: Actor, session: Pick<Session, 'id' | 'parentId'>): string {
  return agent && session.parentId === null ? `key:${id}` : session.id;
}

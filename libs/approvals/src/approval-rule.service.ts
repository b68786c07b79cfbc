import { Injectable } from '@nestjs/common';
import { type Actor, Clock, type MicroUsd, newId, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { type ApprovalRuleType, type ApprovalSubject, type RuleMatch } from './approval-subject.js';
import { ApprovalRule } from './approval-rule.entity.js';
import { ApprovalRuleRepository } from './approval-rule.repository.js';
import { ApprovalRuleNotFound, TooManyApprovalRules } from './approvals.errors.js';

export type NewApprovalRule =
  | { type: 'spend_over'; threshold: MicroUsd }
  | { type: 'tool_blocked'; tools: string[] }
  | { type: 'destructive' | 'all' };

/** Every rule is read for every call, so there is an end to them. */
const MAX_RULES = 500;

@Injectable()
export class ApprovalRuleService {
  constructor(
    private readonly rules: ApprovalRuleRepository,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * The first of the tenant's rules that holds the subject back; null when none does. Rules are read anew for every
   * question, so a rule added or removed on any process counts at once.
   */
  async match(
    subject: Pick<ApprovalSubject, 'actor' | 'amount' | 'toolNames' | 'destructive'>,
  ): Promise<RuleMatch | null> {
    return firstMatch(await this.rules.allOf(subject.actor.tenantId), subject);
  }

  /** All rules of a tenant, for a caller that reads them before it knows the whole subject. */
  allOf(tenantId: string): Promise<readonly ApprovalRule[]> {
    return this.rules.allOf(tenantId);
  }

  list(tenantId: string, limit: number, after: string | null): Promise<ApprovalRule[]> {
    return this.rules.list(tenantId, limit, after);
  }

  /** @throws TooManyApprovalRules */
  async add(tx: Tx, actor: Actor, rule: NewApprovalRule): Promise<ApprovalRule> {
    const added = Object.assign(new ApprovalRule(), {
      tenantId: actor.tenantId,
      id: newId('apl'),
      type: rule.type,
      threshold: rule.type === 'spend_over' ? rule.threshold : null,
      tools: rule.type === 'tool_blocked' ? rule.tools : null,
      createdAt: this.clock.now(),
    });
    if (!(await this.rules.in(tx).insert(added, MAX_RULES))) throw new TooManyApprovalRules(MAX_RULES);
    this.record(tx, actor, 'approval_rule_added', added.id, rule.type, {
      ...(added.threshold === null ? {} : { threshold: toDollars(added.threshold) }),
      ...(added.tools === null ? {} : { tools: added.tools }),
    });
    return added;
  }

  /** @throws ApprovalRuleNotFound when the tenant has no such rule */
  async remove(tx: Tx, actor: Actor, id: string): Promise<void> {
    const type = await this.rules.in(tx).remove(actor.tenantId, id);
    if (type === null) throw new ApprovalRuleNotFound();
    this.record(tx, actor, 'approval_rule_removed', id, type, {});
  }

  private record(
    tx: Tx,
    actor: Actor,
    action: string,
    ruleId: string,
    type: ApprovalRuleType,
    parameters: Record<string, unknown>,
  ): void {
    const details = { rule_id: ruleId, type, ...parameters, by: actor.id };
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.approvals', action, details });
  }
}

/** The first of `rules` that holds the subject back, whose reason names it, with the others that do. */
export function firstMatch(
  rules: readonly ApprovalRule[],
  subject: Pick<ApprovalSubject, 'amount' | 'toolNames' | 'destructive'>,
): RuleMatch | null {
  const holding = rules.flatMap((rule) => {
    const reason = rule.holdsBack(subject);
    return reason === null ? [] : [{ rule, reason }];
  });
  const [first, ...others] = holding;
  if (!first) return null;
  const { rule, reason } = first;
  return {
    ruleId: rule.id,
    type: rule.type,
    reason: `${reason} (approval rule ${rule.id})`,
    otherRuleIds: others.map(({ rule: { id } }) => id),
  };
}

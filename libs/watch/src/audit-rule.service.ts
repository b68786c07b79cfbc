import { Injectable } from '@nestjs/common';
import { type Actor, Clock, newId, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { type AuditRule, type AuditRuleLimits } from './audit-rule.js';
import { AuditRuleRepository } from './audit-rule.repository.js';
import { AuditRuleNotFound } from './watch.errors.js';

/** The rules by which entries of a tenant are flagged as they are appended. */
@Injectable()
export class AuditRuleService {
  constructor(
    private readonly rules: AuditRuleRepository,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  list(tenantId: string, limit: number, after: string | null): Promise<AuditRule[]> {
    return this.rules.list(tenantId, limit, after);
  }

  /** Takes the place of the tenant's rule of that type, from the next entry on. */
  async put(tx: Tx, actor: Actor, limits: AuditRuleLimits): Promise<AuditRule> {
    const rule = { id: newId('rul'), limits, createdAt: this.clock.now() };
    await this.rules.in(tx).put(actor.tenantId, rule);
    const parameters = limits.type === 'high_cost' ? { type: limits.type, max_usd: toDollars(limits.maxCost) } : limits;
    this.record(tx, actor, 'audit_rule_added', { rule_id: rule.id, ...parameters, by: actor.id });
    return rule;
  }

  /** @throws AuditRuleNotFound when the tenant has no such rule */
  async remove(tx: Tx, actor: Actor, id: string): Promise<void> {
    const type = await this.rules.in(tx).remove(actor.tenantId, id);
    if (type === null) throw new AuditRuleNotFound();
    this.record(tx, actor, 'audit_rule_removed', { rule_id: id, type, by: actor.id });
  }

  private record(tx: Tx, actor: Actor, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.watch', action, details });
  }
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { type AuditRule, type AuditRuleLimits, type AuditRuleType } from './audit-rule.js';

/** A rule as it is kept: its limits by the names that `audit_limits` in the database reads. */
@Entity('audit_rule')
export class StoredAuditRule {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  type: AuditRuleType;

  @Column({ type: 'jsonb' })
  params: Record<string, number>;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}

export function toStored(tenantId: string, { id, limits, createdAt }: AuditRule): StoredAuditRule {
  return { tenantId, id, type: limits.type, params: toParams(limits), createdAt };
}

export function toRule({ id, type, params, createdAt }: StoredAuditRule): AuditRule {
  return { id, limits: limitsOf(type, params), createdAt };
}

function toParams(limits: AuditRuleLimits): Record<string, number> {
  switch (limits.type) {
    case 'rapid_fire':
      return { max_actions: limits.maxActions, window_seconds: limits.windowSeconds };
    case 'high_cost':
      return { max_micros: Number(limits.maxCost) };
    case 'unusual_tool':
      return { min_tool_calls: limits.minToolCalls };
  }
}

function limitsOf(type: AuditRuleType, params: Record<string, number>): AuditRuleLimits {
  switch (type) {
    case 'rapid_fire':
      return { type, maxActions: params['max_actions'] ?? 0, windowSeconds: params['window_seconds'] ?? 0 };
    case 'high_cost':
      return { type, maxCost: BigInt(params['max_micros'] ?? 0) as MicroUsd };
    case 'unusual_tool':
      return { type, minToolCalls: params['min_tool_calls'] ?? 0 };
  }
}

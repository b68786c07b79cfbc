import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { type AuditRule, type AuditRuleLimits, type AuditRuleType } from './audit-rule.js';

const list = {
  name: 'audit_rule.list.v1',
  text: 'SELECT id, type, params, created_at FROM audit_rule WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3',
};

interface RuleRow {
  id: string;
  type: AuditRuleType;
  params: Record<string, number>;
  created_at: Date;
}

@Injectable()
export class AuditRuleRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's rules by id, behind `after`. */
  async list(tenantId: string, limit: number, after: string | null): Promise<AuditRule[]> {
    const rows = await this.transactions.query<RuleRow>(list, [tenantId, after ?? '', limit]);
    return rows.map((row) => ({ id: row.id, limits: toLimits(row), createdAt: row.created_at }));
  }

  in(tx: Tx) {
    return {
      /** Takes the place of the rule of its type; counts for the next entry of the tenant. */
      put: async (tenantId: string, { id, limits, createdAt }: AuditRule): Promise<void> => {
        await tx.query(
          `INSERT INTO audit_rule (tenant_id, id, type, params, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, type) DO UPDATE SET id = excluded.id, params = excluded.params, created_at = excluded.created_at`,
          [tenantId, id, limits.type, JSON.stringify(toParams(limits)), createdAt],
        );
        await this.tellHead(tx, tenantId);
      },
      /** The type of the rule that was there; null when the tenant has none of that id. */
      remove: async (tenantId: string, id: string): Promise<AuditRuleType | null> => {
        const [row] = await tx.query<{ type: AuditRuleType }>(
          'DELETE FROM audit_rule WHERE tenant_id = $1 AND id = $2 RETURNING type',
          [tenantId, id],
        );
        if (row) await this.tellHead(tx, tenantId);
        return row?.type ?? null;
      },
    };
  }

  /** Appends read the rules with the head of the log. */
  private async tellHead(tx: Tx, tenantId: string): Promise<void> {
    await tx.query('SELECT audit_apply_rules($1)', [tenantId]);
  }
}

/** As `audit_limits` in the database reads them. */
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

function toLimits({ type, params }: RuleRow): AuditRuleLimits {
  switch (type) {
    case 'rapid_fire':
      return { type, maxActions: params['max_actions'] ?? 0, windowSeconds: params['window_seconds'] ?? 0 };
    case 'high_cost':
      return { type, maxCost: BigInt(params['max_micros'] ?? 0) as MicroUsd };
    case 'unusual_tool':
      return { type, minToolCalls: params['min_tool_calls'] ?? 0 };
  }
}

import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { MoreThan } from 'typeorm';
import { StoredAuditRule, toRule, toStored } from './audit-rule.entity.js';
import { type AuditRule, type AuditRuleType } from './audit-rule.js';

@Injectable()
export class AuditRuleRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's rules by id, behind `after`. */
  async list(tenantId: string, limit: number, after: string | null): Promise<AuditRule[]> {
    const stored = await this.transactions.read(tenantId, (manager) =>
      manager.find(StoredAuditRule, {
        where: { tenantId, id: MoreThan(after ?? '') },
        order: { id: 'ASC' },
        take: limit,
      }),
    );
    return stored.map(toRule);
  }

  in(tx: Tx) {
    return {
      /** Takes the place of the rule of its type; counts for the next entry of the tenant. */
      put: async (tenantId: string, rule: AuditRule): Promise<void> => {
        await tx.manager.upsert(StoredAuditRule, toStored(tenantId, rule), ['tenantId', 'type']);
        await this.tellHead(tx, tenantId);
      },
      /** The type of the rule that was there; null when the tenant has none of that id. */
      remove: async (tenantId: string, id: string): Promise<AuditRuleType | null> => {
        const deletion = tx.manager.createQueryBuilder().delete().from(StoredAuditRule).where({ tenantId, id });
        const { raw } = (await deletion.returning('type').execute()) as { raw: { type: AuditRuleType }[] };
        if (raw[0]) await this.tellHead(tx, tenantId);
        return raw[0]?.type ?? null;
      },
    };
  }

  /** Appends read the rules with the head of the log. */
  private async tellHead(tx: Tx, tenantId: string): Promise<void> {
    await tx.query('SELECT audit_apply_rules($1)', [tenantId]);
  }
}

import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { type ApprovalRuleType } from './approval-subject.js';
import { ApprovalRule } from './approval-rule.entity.js';

const COLUMNS = columnsOf(ApprovalRule);

/** On the path of every call and payment. */
const byTenants = {
  name: 'approval_rule.by_tenants.v2',
  text: `SELECT ${COLUMNS.list} FROM approval_rule WHERE tenant_id = ANY ($1) ORDER BY tenant_id, id`,
};

@Injectable()
export class ApprovalRuleRepository {
  private readonly loader = new Batcher<string, readonly ApprovalRule[]>({
    maxBatch: 512,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (tenantIds) => this.load(tenantIds),
  });

  constructor(private readonly transactions: Transactions) {}

  /** All rules of a tenant in the order they were made; look-ups that arrive together share one query. */
  allOf(tenantId: string): Promise<readonly ApprovalRule[]> {
    return this.loader.submit(tenantId);
  }

  /** Up to `limit` of the tenant's rules in the order they were made, behind the one with id `after`. */
  list(tenantId: string, limit: number, after: string | null): Promise<ApprovalRule[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(ApprovalRule, 'r')
        .where('r.tenantId = :tenantId', { tenantId })
        .orderBy('r.id', 'ASC')
        .limit(limit);
      if (after !== null) query.andWhere('r.id > :after', { after });
      return query.getMany();
    });
  }

  in(tx: Tx) {
    return {
      /** False, and nothing written, when the tenant has `max` rules already. */
      insert: async (rule: ApprovalRule, max: number): Promise<boolean> => {
        if ((await tx.manager.countBy(ApprovalRule, { tenantId: rule.tenantId })) >= max) return false;
        await tx.manager.insert(ApprovalRule, rule);
        return true;
      },
      /** The type of the rule that was there; null when the tenant has none of that id. */
      remove: async (tenantId: string, id: string): Promise<ApprovalRuleType | null> => {
        const query = tx.manager.createQueryBuilder().delete().from(ApprovalRule).where({ tenantId, id });
        const { raw } = (await query.returning('type').execute()) as { raw: { type: ApprovalRuleType }[] };
        return raw[0]?.type ?? null;
      },
    };
  }

  private async load(tenantIds: string[]): Promise<ApprovalRule[][]> {
    const rules = new Map<string, ApprovalRule[]>(tenantIds.map((tenantId) => [tenantId, []]));
    for (const row of await this.transactions.query(byTenants, [[...rules.keys()]])) {
      const rule = COLUMNS.toEntity(row);
      rules.get(rule.tenantId)?.push(rule);
    }
    return tenantIds.map((tenantId) => rules.get(tenantId) ?? []);
  }
}

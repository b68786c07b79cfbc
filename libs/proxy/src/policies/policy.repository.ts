import { Injectable } from '@nestjs/common';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { MoreThan } from 'typeorm';
import { StoredPolicy, toPolicy } from './policy.entity.js';
import { type Policy, type PolicyMode, type PolicyTerms, type PolicyType } from './policy.js';

const columns = columnsOf(StoredPolicy).only('tenantId', 'id', 'type', 'params', 'mode', 'scope', 'priority');
const byTenants = {
  name: 'proxy_policy.by_tenants.v3',
  text: `SELECT ${columns.list} FROM proxy_policy WHERE tenant_id = ANY ($1) ORDER BY tenant_id, priority DESC, id`,
};
/** A scope's patterns are as those of LIKE, with a star for anything. */
const COVERS_UPSTREAM = String.raw`(policy.scope -> 'upstreams' = '[]' OR EXISTS (
  SELECT FROM jsonb_array_elements_text(policy.scope -> 'upstreams') AS s(pattern)
   WHERE :upstream LIKE replace(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')))`;

export interface PolicyFilter {
  type?: PolicyType | undefined;
  mode?: PolicyMode | undefined;
  /** Those that hold for its calls, as far as their scope's upstreams go. */
  upstream?: string | undefined;
}

@Injectable()
export class PolicyRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Every policy of the tenants, by tenant, in the order in which they are named: by priority, then as they were made. */
  async byTenants(tenantIds: string[]): Promise<Map<string, Policy[]>> {
    const found = new Map<string, Policy[]>();
    for (const row of await this.transactions.query(byTenants, [tenantIds])) {
      const stored = columns.toEntity(row);
      const policies = found.get(stored.tenantId);
      if (policies) policies.push(toPolicy(stored));
      else found.set(stored.tenantId, [toPolicy(stored)]);
    }
    return found;
  }

  /** Up to `limit` of the tenant's policies in the order they were made, behind the one with id `after`. */
  async list(tenantId: string, filter: PolicyFilter, limit: number, after: string | null): Promise<Policy[]> {
    const { type, mode, upstream } = filter;
    const where = { tenantId, id: MoreThan(after ?? ''), ...(type && { type }), ...(mode && { mode }) };
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager.createQueryBuilder(StoredPolicy, 'policy').where(where);
      if (upstream !== undefined) query.andWhere(COVERS_UPSTREAM, { upstream });
      return (await query.orderBy('policy.id').limit(limit).getMany()).map(toPolicy);
    });
  }

  count(tenantId: string): Promise<number> {
    return this.transactions.read(tenantId, (manager) => manager.countBy(StoredPolicy, { tenantId }));
  }

  in(tx: Tx) {
    return {
      count: (tenantId: string): Promise<number> => tx.manager.countBy(StoredPolicy, { tenantId }),
      insert: async (tenantId: string, policy: Policy, createdAt: Date): Promise<void> => {
        const { id, rule, mode, scope, priority } = policy;
        const { type, ...params } = rule;
        await tx.manager.insert(StoredPolicy, {
          tenantId,
          id,
          type,
          params,
          createdAt,
          mode,
          scope,
          priority,
        });
      },
      /** The policy, locked for the rest of the transaction; null when the tenant has none of that id. */
      lock: async (tenantId: string, id: string): Promise<Policy | null> => {
        const lock = { mode: 'for_no_key_update' } as const;
        const stored = await tx.manager.findOne(StoredPolicy, { where: { tenantId, id }, lock });
        return stored && toPolicy(stored);
      },
      /** Gives a policy that is locked other terms. */
      change: async (tenantId: string, id: string, { mode, scope, priority }: PolicyTerms): Promise<void> => {
        await tx.manager.update(
          StoredPolicy,
          { tenantId, id },
          {
            mode,
            scope,
            priority,
          },
        );
      },
      /** The type of the policy that was there; null when the tenant has none of that id. */
      remove: async (tenantId: string, id: string): Promise<PolicyType | null> => {
        const { raw } = (await tx.manager
          .createQueryBuilder()
          .delete()
          .from(StoredPolicy)
          .where({ tenantId, id })
          .returning('type')
          .execute()) as { raw: { type: PolicyType }[] };
        return raw[0]?.type ?? null;
      },
    };
  }
}

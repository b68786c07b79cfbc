import { Inject, Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { type Policy, type PolicyRule, type PolicyType } from './policy.js';

const byTenants = {
  name: 'proxy_policy.by_tenants.v1',
  text: 'SELECT tenant_id, id, type, params FROM proxy_policy WHERE tenant_id = ANY ($1) ORDER BY tenant_id, id',
};
const page = {
  name: 'proxy_policy.page.v1',
  text: 'SELECT tenant_id, id, type, params FROM proxy_policy WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3',
};
const count = {
  name: 'proxy_policy.count.v1',
  text: 'SELECT count(*)::integer AS policies FROM proxy_policy WHERE tenant_id = $1',
};

interface PolicyRow {
  tenant_id: string;
  id: string;
  type: PolicyType;
  params: Record<string, unknown>;
}

@Injectable()
export class PolicyRepository {
  constructor(@Inject(Transactions) private readonly transactions: Transactions) {}

  /** Every policy of the tenants, by tenant, in the order they were made. */
  async byTenants(tenantIds: string[]): Promise<Map<string, Policy[]>> {
    const found = new Map<string, Policy[]>();
    for (const row of await this.transactions.query<PolicyRow>(byTenants, [tenantIds])) {
      const policies = found.get(row.tenant_id);
      if (policies) policies.push(toPolicy(row));
      else found.set(row.tenant_id, [toPolicy(row)]);
    }
    return found;
  }

  /** Up to `limit` of the tenant's policies in the order they were made, behind the one with id `after`. */
  async list(tenantId: string, limit: number, after: string | null): Promise<Policy[]> {
    return (await this.transactions.query<PolicyRow>(page, [tenantId, after ?? '', limit])).map(toPolicy);
  }

  async count(tenantId: string): Promise<number> {
    return (await this.transactions.query<{ policies: number }>(count, [tenantId]))[0]?.policies ?? 0;
  }

  in(tx: Tx) {
    return {
      /** False, and nothing written, when the tenant has `max` policies already. */
      insert: async (tenantId: string, { id, rule }: Policy, at: Date, max: number): Promise<boolean> => {
        const { type, ...params } = rule;
        const rows = await tx.query(
          `INSERT INTO proxy_policy (tenant_id, id, type, params, created_at)
             SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM proxy_policy WHERE tenant_id = $1) < $6 RETURNING id`,
          [tenantId, id, type, JSON.stringify(params), at, max],
        );
        return rows.length === 1;
      },
      /** The type of the policy that was there; null when the tenant has none of that id. */
      remove: async (tenantId: string, id: string): Promise<PolicyType | null> => {
        const [row] = await tx.query<{ type: PolicyType }>(
          'DELETE FROM proxy_policy WHERE tenant_id = $1 AND id = $2 RETURNING type',
          [tenantId, id],
        );
        return row?.type ?? null;
      },
    };
  }
}

/** The parameters were checked when the policy was made. */
function toPolicy({ id, type, params }: PolicyRow): Policy {
  return { id, rule: { type, ...params } as PolicyRule };
}

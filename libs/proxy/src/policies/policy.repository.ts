import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import {
  type Policy,
  type PolicyMode,
  type PolicyRule,
  type PolicyScope,
  type PolicyTerms,
  type PolicyType,
} from './policy.js';

const byTenants = {
  name: 'proxy_policy.by_tenants.v2',
  text: `SELECT tenant_id, id, type, params, mode, scope, priority FROM proxy_policy
          WHERE tenant_id = ANY ($1) ORDER BY tenant_id, priority DESC, id`,
};
/** A scope's patterns are as those of LIKE, with a star for anything. */
const page = {
  name: 'proxy_policy.page.v3',
  text: String.raw`SELECT tenant_id, id, type, params, mode, scope, priority FROM proxy_policy
          WHERE tenant_id = $1 AND id > $2 AND ($4::text IS NULL OR type = $4) AND ($5::text IS NULL OR mode = $5)
            AND ($6::text IS NULL OR scope -> 'upstreams' = '[]' OR EXISTS (
                  SELECT FROM jsonb_array_elements_text(scope -> 'upstreams') AS s(pattern)
                   WHERE $6 LIKE replace(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')))
          ORDER BY id LIMIT $3`,
};
const count = {
  name: 'proxy_policy.count.v1',
  text: 'SELECT count(*)::integer AS policies FROM proxy_policy WHERE tenant_id = $1',
};

export interface PolicyFilter {
  type?: PolicyType | undefined;
  mode?: PolicyMode | undefined;
  /** Those that hold for its calls, as far as their scope's upstreams go. */
  upstream?: string | undefined;
}

interface PolicyRow {
  tenant_id: string;
  id: string;
  type: PolicyType;
  params: Record<string, unknown>;
  mode: PolicyMode;
  scope: PolicyScope;
  priority: number;
}

@Injectable()
export class PolicyRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Every policy of the tenants, by tenant, in the order in which they are named: by priority, then as they were made. */
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
  async list(tenantId: string, filter: PolicyFilter, limit: number, after: string | null): Promise<Policy[]> {
    const { type = null, mode = null, upstream = null } = filter;
    const values: [string, ...unknown[]] = [tenantId, after ?? '', limit, type, mode, upstream];
    return (await this.transactions.query<PolicyRow>(page, values)).map(toPolicy);
  }

  async count(tenantId: string): Promise<number> {
    return (await this.transactions.query<{ policies: number }>(count, [tenantId]))[0]?.policies ?? 0;
  }

  in(tx: Tx) {
    return {
      /** False, and nothing written, when the tenant has `max` policies already. */
      insert: async (tenantId: string, policy: Policy, at: Date, max: number): Promise<boolean> => {
        const { id, rule, mode, scope, priority } = policy;
        const { type, ...params } = rule;
        const rows = await tx.query(
          `INSERT INTO proxy_policy (tenant_id, id, type, params, created_at, mode, scope, priority)
             SELECT $1, $2, $3, $4, $5, $7, $8, $9
              WHERE (SELECT count(*) FROM proxy_policy WHERE tenant_id = $1) < $6 RETURNING id`,
          [tenantId, id, type, JSON.stringify(params), at, max, mode, JSON.stringify(scope), priority],
        );
        return rows.length === 1;
      },
      /** The policy, locked for the rest of the transaction; null when the tenant has none of that id. */
      lock: async (tenantId: string, id: string): Promise<Policy | null> => {
        const [row] = await tx.query<PolicyRow>(
          `SELECT tenant_id, id, type, params, mode, scope, priority FROM proxy_policy
            WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE`,
          [tenantId, id],
        );
        return row ? toPolicy(row) : null;
      },
      /** Gives a policy that is locked other terms; does not wait for the answer. */
      change: (tenantId: string, id: string, { mode, scope, priority }: PolicyTerms): void => {
        tx.send('UPDATE proxy_policy SET mode = $3, scope = $4, priority = $5 WHERE tenant_id = $1 AND id = $2', [
          tenantId,
          id,
          mode,
          JSON.stringify(scope),
          priority,
        ]);
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
function toPolicy({ id, type, params, mode, scope, priority }: PolicyRow): Policy {
  return { id, rule: { type, ...params } as PolicyRule, mode, scope, priority };
}

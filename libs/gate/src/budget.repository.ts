import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { type Budget, type BudgetScope, type BudgetUsage, type UsageScope } from './budget.js';

const ofTenants = {
  name: 'budget.of_tenants.v1',
  text: 'SELECT tenant_id, id, scope, subject, limit_micros, created_at FROM budget WHERE tenant_id = ANY ($1)',
};
const page = {
  name: 'budget.page.v1',
  text: `SELECT b.tenant_id, b.id, b.scope, b.subject, b.limit_micros, b.created_at, u.spent_micros, u.held_micros
           FROM budget b
           LEFT JOIN budget_usage u ON u.tenant_id = b.tenant_id AND u.scope = b.scope AND u.subject = b.subject
                AND u.period = CASE b.scope WHEN 'tenant_month' THEN $3 ELSE $4 END AND (b.scope = 'tenant_month' OR b.subject <> '')
          WHERE b.tenant_id = $1 AND b.id > $2 ORDER BY b.id LIMIT $5`,
};
const ensureUsage = {
  name: 'budget_usage.ensure.v1',
  text: `INSERT INTO budget_usage (tenant_id, scope, subject, period, spent_micros, held_micros)
           SELECT t, s, j, p, 0, 0 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(t, s, j, p) ORDER BY 1, 2, 3, 4
         ON CONFLICT DO NOTHING`,
};
const lockUsage = {
  name: 'budget_usage.lock.v1',
  text: `SELECT tenant_id, scope, subject, period, spent_micros, held_micros, threshold FROM budget_usage
          WHERE (tenant_id, scope, subject, period) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]))
          ORDER BY 1, 2, 3, 4 FOR UPDATE`,
};
// In the order of the key, so that concurrent additions queue up and never deadlock.
const addUsage = {
  name: 'budget_usage.add.v1',
  text: `INSERT INTO budget_usage AS u (tenant_id, scope, subject, period, spent_micros, held_micros, threshold)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::integer[]) ORDER BY 1, 2, 3, 4
         ON CONFLICT (tenant_id, scope, subject, period) DO UPDATE
           SET spent_micros = u.spent_micros + excluded.spent_micros, held_micros = u.held_micros + excluded.held_micros,
               threshold = greatest(u.threshold, excluded.threshold)`,
};

const changeUsage = {
  name: 'budget_usage.change.v1',
  text: `UPDATE budget_usage u SET spent_micros = u.spent_micros + w.spent, held_micros = u.held_micros + w.held
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS w(tenant_id, scope, subject, period, spent, held)
          WHERE u.tenant_id = w.tenant_id AND u.scope = w.scope AND u.subject = w.subject AND u.period = w.period`,
};

interface BudgetRow {
  tenant_id: string;
  id: string;
  scope: BudgetScope;
  subject: string;
  limit_micros: string;
  created_at: Date;
}

interface UsageRow {
  tenant_id: string;
  scope: UsageScope;
  subject: string;
  period: string;
  spent_micros: string;
  held_micros: string;
  threshold: number;
}

/** A budget with what was used of it in the period that is running; null for one that stands for many agents. */
export interface BudgetStanding extends Budget {
  usage: { spent: MicroUsd; held: MicroUsd } | null;
}

@Injectable()
export class BudgetRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's budgets in the order they were made, behind the one with id `after`. */
  async list(
    tenantId: string,
    periods: { month: string; day: string },
    limit: number,
    after: string | null,
  ): Promise<BudgetStanding[]> {
    const rows = await this.transactions.query<BudgetRow & { spent_micros: string | null; held_micros: string | null }>(
      page,
      [tenantId, after ?? '', periods.month, periods.day, limit],
    );
    return rows.map((row) => {
      const standsForMany = row.scope === 'agent_day' && row.subject === '';
      const usage = {
        spent: BigInt(row.spent_micros ?? 0) as MicroUsd,
        held: BigInt(row.held_micros ?? 0) as MicroUsd,
      };
      return { ...toBudget(row), usage: standsForMany ? null : usage };
    });
  }

  in(tx: Tx) {
    return {
      /** Every budget of the tenants. */
      ofTenants: async (tenantIds: readonly string[]): Promise<Budget[]> =>
        (await tx.query<BudgetRow>(ofTenants, [tenantIds])).map(toBudget),
      /** Takes the place of the budget for the same scope and subject; false, and nothing written, beyond `max`. */
      put: async (budget: Budget, max: number): Promise<boolean> => {
        const { tenantId, id, scope, subject, limit, createdAt } = budget;
        const rows = await tx.query(
          `INSERT INTO budget (tenant_id, id, scope, subject, limit_micros, created_at)
             SELECT $1, $2, $3, $4, $5, $6
              WHERE (SELECT count(*) FROM budget WHERE tenant_id = $1 AND (scope, subject) <> ($3, $4)) < $7
           ON CONFLICT (tenant_id, scope, subject) DO UPDATE
             SET id = excluded.id, limit_micros = excluded.limit_micros, created_at = excluded.created_at
           RETURNING id`,
          [tenantId, id, scope, subject, limit.toString(), createdAt, max],
        );
        return rows.length === 1;
      },
      /** The budget that was there; null when the tenant has none of that id. */
      remove: async (tenantId: string, id: string): Promise<Budget | null> => {
        const [row] = await tx.query<BudgetRow>(
          `DELETE FROM budget WHERE tenant_id = $1 AND id = $2
            RETURNING tenant_id, id, scope, subject, limit_micros, created_at`,
          [tenantId, id],
        );
        return row ? toBudget(row) : null;
      },
      /** Locks usages, making those that are not there yet, in one order everywhere. */
      lockUsages: async (keys: readonly UsageKey[]): Promise<BudgetUsage[]> => {
        const columns = unzip(keys);
        tx.send(ensureUsage, columns);
        const rows = await tx.query<UsageRow>(lockUsage, columns);
        return rows.map((row) => ({
          tenantId: row.tenant_id,
          scope: row.scope,
          subject: row.subject,
          period: row.period,
          spent: BigInt(row.spent_micros) as MicroUsd,
          held: BigInt(row.held_micros) as MicroUsd,
          threshold: row.threshold,
        }));
      },
      /** Changes usages that are there, up or down, locking them first; does not wait for the answer. */
      changeUsages: (changes: readonly BudgetUsage[]): void => {
        tx.send(lockUsage, unzip(changes));
        tx.send(changeUsage, [
          ...unzip(changes),
          changes.map(({ spent }) => spent.toString()),
          changes.map(({ held }) => held.toString()),
        ]);
      },
      /** Adds to usages, making those that are not there yet; does not wait for the answer. */
      addUsages: (added: readonly BudgetUsage[]): void => {
        if (added.length === 0) return;
        tx.send(addUsage, [
          ...unzip(added),
          added.map(({ spent }) => spent.toString()),
          added.map(({ held }) => held.toString()),
          added.map(({ threshold }) => threshold),
        ]);
      },
    };
  }
}

export type UsageKey = Pick<BudgetUsage, 'tenantId' | 'scope' | 'subject' | 'period'>;

function unzip(keys: readonly UsageKey[]): [string[], string[], string[], string[]] {
  return [
    keys.map(({ tenantId }) => tenantId),
    keys.map(({ scope }) => scope),
    keys.map(({ subject }) => subject),
    keys.map(({ period }) => period),
  ];
}

function toBudget(row: BudgetRow): Budget {
  return {
    tenantId: row.tenant_id,
    id: row.id,
    scope: row.scope,
    subject: row.subject,
    limit: BigInt(row.limit_micros) as MicroUsd,
    createdAt: row.created_at,
  };
}

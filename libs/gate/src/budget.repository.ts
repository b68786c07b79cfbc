import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { MoreThan } from 'typeorm';
import { BudgetUsage } from './budget-usage.entity.js';
import { Budget } from './budget.entity.js';

const BUDGET = columnsOf(Budget);
const USAGE = columnsOf(BudgetUsage);

// All of them on the path of every payment and priced call.
const ofTenants = {
  name: 'budget.of_tenants.v1',
  text: `SELECT ${BUDGET.list} FROM budget WHERE tenant_id = ANY ($1)`,
};
const ensureUsage = {
  name: 'budget_usage.ensure.v1',
  text: `INSERT INTO budget_usage (tenant_id, scope, subject, period, spent_micros, held_micros)
           SELECT t, s, j, p, 0, 0 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(t, s, j, p) ORDER BY 1, 2, 3, 4
         ON CONFLICT DO NOTHING`,
};
const lockUsage = {
  name: 'budget_usage.lock.v1',
  text: `SELECT ${USAGE.list} FROM budget_usage
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

/** A budget with what was used of it in the period that is running; null for one that stands for many agents. */
export interface BudgetStanding extends Budget {
  usage: { spent: MicroUsd; held: MicroUsd } | null;
}

@Injectable()
export class BudgetRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's budgets in the order they were made, behind the one with id `after`. */
  list(
    tenantId: string,
    { month, day }: { month: string; day: string },
    limit: number,
    after: string | null,
  ): Promise<BudgetStanding[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const budgets = await manager.find(Budget, {
        where: { tenantId, id: MoreThan(after ?? '') },
        order: { id: 'ASC' },
        take: limit,
      });
      const counted = budgets.filter((budget) => !standsForMany(budget));
      const running = counted.map(({ scope, subject }) => {
        return { tenantId, scope, subject, period: scope === 'tenant_month' ? month : day };
      });
      // No condition at all would be one that everything meets.
      const usages = running.length === 0 ? [] : await manager.findBy(BudgetUsage, running);
      return budgets.map((budget) => {
        const { scope, subject } = budget;
        const used = usages.find((usage) => usage.scope === scope && usage.subject === subject);
        const usage = { spent: used?.spent ?? (0n as MicroUsd), held: used?.held ?? (0n as MicroUsd) };
        return { ...budget, usage: standsForMany(budget) ? null : usage };
      });
    });
  }

  in(tx: Tx) {
    return {
      /** Every budget of the tenants. */
      ofTenants: async (tenantIds: readonly string[]): Promise<Budget[]> =>
        (await tx.query(ofTenants, [tenantIds])).map((row) => BUDGET.toEntity(row)),
      /** Takes the place of the budget for the same scope and subject; false, and nothing written, beyond `max`. */
      put: async (budget: Budget, max: number): Promise<boolean> => {
        const { tenantId, scope, subject } = budget;
        const others = tx.manager
          .createQueryBuilder(Budget, 'b')
          .where({ tenantId })
          .andWhere('(b.scope, b.subject) <> (:scope, :subject)', { scope, subject });
        if ((await others.getCount()) >= max) return false;
        await tx.manager.upsert(Budget, budget, ['tenantId', 'scope', 'subject']);
        return true;
      },
      /** The budget that was there; null when the tenant has none of that id. */
      remove: async (tenantId: string, id: string): Promise<Budget | null> => {
        const query = tx.manager.createQueryBuilder().delete().from(Budget).where({ tenantId, id });
        const { raw } = (await query.returning(BUDGET.list).execute()) as { raw: object[] };
        return raw[0] ? BUDGET.toEntity(raw[0]) : null;
      },
      /** Locks usages, making those that are not there yet, in one order everywhere. */
      lockUsages: async (keys: readonly UsageKey[]): Promise<BudgetUsage[]> => {
        const columns = unzip(keys);
        tx.send(ensureUsage, columns);
        return (await tx.query(lockUsage, columns)).map((row) => USAGE.toEntity(row));
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

/** For every agent that has no budget of its own. */
function standsForMany({ scope, subject }: Budget): boolean {
  return scope === 'agent_day' && subject === '';
}

import { InvalidInput, microUsd, toDollars, toUnixSeconds } from '@haldir/kernel';
import { decimal, nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type BudgetScope } from '../budget.entity.js';
import { type BudgetStanding } from '../budget.repository.js';
import { agentId } from './session.dto.js';

const SCOPES = ['tenant', 'agent'] as const;

export const SetBudget = z.object({
  scope: z
    .enum(SCOPES, `expected one of ${SCOPES.join(', ')}`)
    .describe('tenant: what the tenant may spend in a UTC month; agent: what an agent may spend in a UTC day'),
  agent_id: agentId
    .nullish()
    .describe('Of an agent budget: the agent it is for; absent for every agent without one of its own'),
  limit: decimal({ decimals: 2, min: 0, max: 1_000_000_000 }).describe('USD'),
});
export type SetBudget = z.infer<typeof SetBudget>;

/** @throws InvalidInput for a tenant budget that names an agent */
export function toNewBudget({ scope, agent_id: agent, limit }: SetBudget) {
  if (scope === 'tenant' && typeof agent === 'string')
    throw new InvalidInput('agent_id: expected none for a tenant budget');
  const inside: BudgetScope = scope === 'tenant' ? 'tenant_month' : 'agent_day';
  return { scope: inside, subject: agent ?? '', limit: microUsd(limit) };
}

export const BudgetSet = z.object({ set: z.literal(true), id: z.string() });
export type BudgetSet = z.infer<typeof BudgetSet>;

export const ListBudgets = z.object(pageQuery);
export type ListBudgets = z.infer<typeof ListBudgets>;

const BudgetItem = z
  .object({
    id: z.string(),
    scope: z.enum(SCOPES),
    agent_id: z.string().nullable().describe('Null for the tenant, and for every agent without a budget of its own'),
    period: z.enum(['month', 'day']).describe('UTC'),
    limit: z.number(),
    spent: z
      .number()
      .nullable()
      .describe('In the period that is running; null for a budget that stands for many agents'),
    held: z.number().nullable().describe('Set aside for payments that may still be captured'),
    remaining: z.number().nullable(),
    created_at: z.number().describe('Unix timestamp'),
  })
  .meta({ id: 'Budget' });

export const BudgetList = z.object({ budgets: z.array(BudgetItem), count: z.int(), next_cursor: nextCursor });
export type BudgetList = z.infer<typeof BudgetList>;

export function toBudgetItem({
  id,
  scope,
  subject,
  limit,
  usage,
  createdAt,
}: BudgetStanding): z.infer<typeof BudgetItem> {
  const left = usage === null ? null : limit - usage.spent - usage.held;
  return {
    id,
    scope: scope === 'tenant_month' ? 'tenant' : 'agent',
    agent_id: subject === '' ? null : subject,
    period: scope === 'tenant_month' ? 'month' : 'day',
    limit: toDollars(limit),
    spent: usage && toDollars(usage.spent),
    held: usage && toDollars(usage.held),
    remaining: left === null ? null : toDollars((left > 0n ? left : 0n) as typeof limit),
    created_at: toUnixSeconds(createdAt),
  };
}

export const BudgetRemoved = z.object({ deleted: z.literal(true), id: z.string() });
export type BudgetRemoved = z.infer<typeof BudgetRemoved>;

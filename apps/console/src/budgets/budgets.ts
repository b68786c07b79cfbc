import { answered, api } from '../api/client.ts';
import { type components, type operations } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';

export type Budget = components['schemas']['Budget'];
export type NewBudget = operations['setBudget']['requestBody']['content']['application/json'];

/** Everything that is read of budgets. */
export const BUDGETS = 'budgets';

export const budgetsQuery = listQuery([BUDGETS], async (page, signal) => {
  const { budgets, next_cursor: next } = await answered(api.GET('/v1/budgets', { params: { query: page }, signal }));
  return { items: budgets, next };
});

/** Takes the place of the budget that there is of the same. */
export function setBudget(body: NewBudget): Promise<unknown> {
  return answered(api.POST('/v1/budgets', { body }));
}

export function removeBudget({ id }: Budget): Promise<unknown> {
  return answered(api.DELETE('/v1/budgets/{budget_id}', { params: { path: { budget_id: id } } }));
}

import { Body, Controller, Delete, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  CurrentActor,
  Cursors,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { BudgetLimits } from '../budget-limits.js';
import {
  BudgetList,
  BudgetRemoved,
  BudgetSet,
  ListBudgets,
  SetBudget,
  toBudgetItem,
  toNewBudget,
} from './budget.dto.js';

@ApiTags('gate')
@Controller('v1/budgets')
export class BudgetController {
  constructor(
    private readonly limits: BudgetLimits,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @RequiresScope('admin:write')
  @ApiOperation({
    operationId: 'setBudget',
    summary: 'Set a budget above sessions',
    description:
      'Limit what the tenant spends in a UTC month, or an agent in a UTC day, over all its sessions. Takes the place of the budget there was, and counts what was spent in the period before.',
  })
  @JsonBody(SetBudget)
  @Returns(HttpStatus.CREATED, BudgetSet, 'Budget set')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  set(
    @CurrentActor() actor: Actor,
    @Body({ schema: SetBudget }) body: SetBudget,
    @Write() write: WriteRequest,
  ): Promise<BudgetSet> {
    return this.writes.run(write, async (tx): Promise<BudgetSet> => {
      const { id } = await this.limits.put(tx, actor, toNewBudget(body));
      return { set: true, id };
    });
  }

  @Get()
  @RequiresScope('payments:read')
  @ApiOperation({
    operationId: 'listBudgets',
    summary: 'List budgets above sessions',
    description: 'List budgets with what was spent and is held under them in the period that is running.',
  })
  @Returns(HttpStatus.OK, BudgetList, 'Budgets')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListBudgets }) { limit, cursor }: ListBudgets,
  ): Promise<BudgetList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'budgets', filters: {} },
      { limit, cursor },
      (count, after) => this.limits.list(tenantId, count, after),
      ({ id }) => id,
    );
    return { budgets: items.map(toBudgetItem), count: items.length, next_cursor: nextCursor };
  }

  @Delete(':budget_id')
  @RequiresScope('admin:write')
  @ApiParam({ name: 'budget_id', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'removeBudget',
    summary: 'Remove a budget',
    description: 'Remove a limit above sessions.',
  })
  @Returns(HttpStatus.OK, BudgetRemoved, 'Budget removed')
  @Refuses('Unauthorized', 'Forbidden', 'NotFound', 'RateLimited')
  remove(
    @CurrentActor() actor: Actor,
    @Param('budget_id') budgetId: string,
    @Write() write: WriteRequest,
  ): Promise<BudgetRemoved> {
    return this.writes.run(write, async (tx): Promise<BudgetRemoved> => {
      await this.limits.remove(tx, actor, budgetId);
      return { deleted: true, id: budgetId };
    });
  }
}

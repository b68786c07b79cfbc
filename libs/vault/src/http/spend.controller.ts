import { Controller, Get, HttpStatus, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock } from '@haldir/kernel';
import { CurrentActor, Refuses, RequiresScope, Returns } from '@haldir/http';
import { PaymentTotals } from '../payment-totals.js';
import { DailySpend, DailySpendQuery, toDailySpend, toPeriod } from './spend.dto.js';

@ApiTags('vault')
@Controller('v1/spend')
export class SpendController {
  constructor(
    private readonly payments: PaymentTotals,
    private readonly clock: Clock,
  ) {}

  @Get()
  @RequiresScope('payments:read')
  @ApiOperation({
    operationId: 'getDailySpend',
    summary: 'Get what was paid by day',
    description:
      'What was paid in a period of UTC days, by day and by agent or tool, with what they come to: payments authorized and captured, converted to USD.',
  })
  @Returns(HttpStatus.OK, DailySpend, 'What was paid')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  async get(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: DailySpendQuery }) query: DailySpendQuery,
  ): Promise<DailySpend> {
    const period = toPeriod(query, this.clock.now());
    return toDailySpend(await this.payments.spend(tenantId, query.by, period), period, query.by);
  }
}

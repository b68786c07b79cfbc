import { Controller, Get, HttpStatus, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Clock } from '@haldir/kernel';
import { monthOf, UsageMeter } from '@haldir/gate';
import { type Caller, CurrentCaller, Refuses, RequiresScope, Returns } from '@haldir/http';
import { z } from 'zod';

const UsageQuery = z.object({
  month: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'expected a month as YYYY-MM')
    .optional()
    .describe('Month in YYYY-MM format (defaults to current month)'),
});
type UsageQuery = z.infer<typeof UsageQuery>;

const Usage = z.object({
  tenant_id: z.string(),
  month: z.string(),
  action_count: z.int().describe('Authenticated requests'),
  tier: z.string(),
});

@ApiTags('watch')
@Controller('v1/usage')
export class UsageController {
  constructor(
    private readonly usage: UsageMeter,
    private readonly clock: Clock,
  ) {}

  @Get()
  @RequiresScope('audit:read')
  @ApiOperation({
    operationId: 'getUsage',
    summary: 'Get usage stats',
    description: 'Get API usage count for the current tenant, optionally for a specific month.',
  })
  @Returns(HttpStatus.OK, Usage, 'Usage data')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async get(
    @CurrentCaller() { actor: { tenantId }, tenantTier }: Caller,
    @Query({ schema: UsageQuery }) { month = monthOf(this.clock.now()) }: UsageQuery,
  ): Promise<z.infer<typeof Usage>> {
    const requests = await this.usage.requestsIn(tenantId, month);
    return { tenant_id: tenantId, month, action_count: requests, tier: tenantTier };
  }
}

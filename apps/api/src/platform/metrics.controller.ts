import { Controller, Get, HttpStatus } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock, toDollars } from '@haldir/kernel';
import { ApprovalCounts } from '@haldir/approvals';
import { LogSums, type Share } from '@haldir/audit-log';
import { ApiKeyService, monthOf, SessionService, UsageMeter } from '@haldir/gate';
import { CurrentActor, Refuses, RequiresScope, Returns } from '@haldir/http';
import { PaymentTotals, SecretService } from '@haldir/vault';
import { z } from 'zod';

const byName = z.record(z.string(), z.int());

const PlatformMetrics = z.object({
  total_api_keys: z.int(),
  total_sessions: z.int(),
  active_sessions: z.int(),
  unique_agents: z.int(),
  total_actions: z.int(),
  flagged_actions: z.int(),
  actions_today: z.int(),
  total_spend_usd: z.number(),
  total_secrets: z.int(),
  total_payments: z.int(),
  total_payment_volume_usd: z.number(),
  pending_approvals: z.int(),
  total_approvals: z.int(),
  top_tools: byName,
  top_agents: byName,
  usage_this_month: byName,
});

/** Tools and agents named. */
const TOP = 10;

/** The figures of every domain, of the caller's tenant alone. */
@ApiTags('watch', 'audit')
@Controller('v1/metrics')
export class MetricsController {
  constructor(
    private readonly keys: ApiKeyService,
    private readonly sessions: SessionService,
    private readonly secrets: SecretService,
    private readonly payments: PaymentTotals,
    private readonly approvals: ApprovalCounts,
    private readonly sums: LogSums,
    private readonly usage: UsageMeter,
    private readonly clock: Clock,
  ) {}

  @Get()
  @RequiresScope('audit:read')
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Get platform metrics',
    description:
      'Full platform metrics including API keys, sessions, actions, spend, secrets, payments, approvals, and top tools/agents.',
  })
  @Returns(HttpStatus.OK, PlatformMetrics, 'Platform metrics')
  @Refuses('Unauthorized', 'RateLimited')
  async get(@CurrentActor() { tenantId }: Actor): Promise<z.infer<typeof PlatformMetrics>> {
    const now = this.clock.now();
    const month = monthOf(now);
    const [keys, active, secrets, payments, approvals, log, requests] = await Promise.all([
      this.keys.count(tenantId),
      this.sessions.countActive(tenantId),
      this.secrets.count(tenantId),
      this.payments.totals(tenantId),
      this.approvals.of(tenantId),
      this.sums.totals(tenantId, now.toISOString().slice(0, 10), TOP),
      this.usage.requestsIn(tenantId, month),
    ]);
    return {
      total_api_keys: keys,
      total_sessions: log.sessions,
      active_sessions: active,
      unique_agents: log.agents,
      total_actions: log.entries,
      flagged_actions: log.flagged,
      actions_today: log.today,
      total_spend_usd: toDollars(log.cost),
      total_secrets: secrets,
      total_payments: payments.count,
      total_payment_volume_usd: toDollars(payments.totalMicros),
      pending_approvals: approvals.pending,
      total_approvals: approvals.total,
      top_tools: entriesByName(log.topTools),
      top_agents: entriesByName(log.topAgents),
      usage_this_month: { [month]: requests },
    };
  }
}

function entriesByName(shares: readonly Share[]): Record<string, number> {
  return Object.fromEntries(shares.map(({ name, entries }) => [name, entries]));
}

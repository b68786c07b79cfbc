import { Injectable } from '@nestjs/common';
import { Clock, toUnixSeconds } from '@haldir/kernel';
import { Readiness } from '@haldir/health';
import { Metrics } from '@haldir/runtime';
import { z } from 'zod';

const Component = z.object({
  name: z.string(),
  state: z.enum(['ok', 'down']),
  message: z.string(),
  checked_at: z.number().describe('Unix timestamp'),
});

export const Status = z
  .object({
    status: z.enum(['ok', 'down']).describe('ok while every component is'),
    checked_at: z.number().describe('Unix timestamp'),
    components: z.array(Component),
    metrics: z
      .object({
        success_rate: z.object({ total: z.int(), errors: z.int().describe('Answered with a 5xx'), ratio: z.number() }),
        latency_seconds: z
          .object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() })
          .describe('Upper bounds; null while there were no requests, and over five seconds'),
      })
      .describe('Of the process that answers, since it started'),
  })
  .meta({ id: 'Status' });
export type Status = z.infer<typeof Status>;

/** How the installation is, for those who watch it. */
@Injectable()
export class StatusReport {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  async now(): Promise<Status> {
    const [checks, { total, errors, within }] = await Promise.all([this.readiness.check(), this.metrics.requests()]);
    const at = toUnixSeconds(this.clock.now());
    const components = checks.map(({ name, ok, reason }) => ({
      name,
      state: ok ? ('ok' as const) : ('down' as const),
      message: reason ?? 'answers',
      checked_at: at,
    }));
    return {
      status: checks.every(({ ok }) => ok) ? 'ok' : 'down',
      checked_at: at,
      components: [{ name: 'api', state: 'ok', message: 'answers', checked_at: at }, ...components],
      metrics: {
        success_rate: { total, errors, ratio: total === 0 ? 1 : (total - errors) / total },
        latency_seconds: { p50: within(0.5), p95: within(0.95), p99: within(0.99) },
      },
    };
  }
}

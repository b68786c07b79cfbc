import { Controller, Get, Header, HttpStatus, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Metrics } from '@haldir/runtime';
import { Answers, type HaldirReply, PublicRoute, Returns } from '@haldir/http';
import { z } from 'zod';
import { Readiness } from './readiness.js';

const Alive = z.object({ alive: z.literal(true) });
const Ready = z
  .object({
    ready: z.boolean(),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), reason: z.string().optional() })),
  })
  .meta({ id: 'Readiness' });

/** What orchestrators and Prometheus ask; of the API and the worker alike. */
@ApiTags('gate')
@PublicRoute()
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('livez')
  @ApiOperation({
    operationId: 'livenessCheck',
    summary: 'Liveness',
    description: 'The process runs and answers.',
    security: [],
  })
  @Returns(HttpStatus.OK, Alive, 'Alive')
  livez(): z.infer<typeof Alive> {
    return { alive: true };
  }

  @Get('readyz')
  @ApiOperation({
    operationId: 'readinessCheck',
    summary: 'Readiness',
    description: 'Ready when database, migrations, encryption key and queue are.',
    security: [],
  })
  @Returns(HttpStatus.OK, Ready, 'Ready')
  @Answers(HttpStatus.SERVICE_UNAVAILABLE, Ready, 'Not ready')
  async readyz(@Res({ passthrough: true }) reply: HaldirReply): Promise<z.infer<typeof Ready>> {
    const checks = await this.readiness.check();
    const ready = checks.every(({ ok }) => ok);
    if (!ready) void reply.status(HttpStatus.SERVICE_UNAVAILABLE);
    return { ready, checks };
  }

  @Get('metrics')
  @ApiExcludeEndpoint()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  prometheus(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}

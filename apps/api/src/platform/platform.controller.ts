import { Controller, Get, HttpStatus, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { VERSION } from '@haldir/kernel';
import { type HaldirRequest, PublicAddress, PublicRoute, Returns } from '@haldir/http';
import { z } from 'zod';

const Health = z.object({ status: z.literal('ok'), service: z.literal('haldir'), version: z.string() });
const ApiIndex = z.object({
  service: z.string(),
  version: z.string(),
  docs: z.string().meta({ format: 'uri' }),
  endpoints: z.record(z.string(), z.string()),
});

const ENDPOINTS = {
  keys: '/v1/keys',
  sessions: '/v1/sessions',
  secrets: '/v1/secrets',
  payments: '/v1/payments',
  audit: '/v1/audit',
  usage: '/v1/usage',
  metrics: '/v1/metrics',
  approvals: '/v1/approvals',
  webhooks: '/v1/webhooks',
  proxy: '/v1/proxy',
};

/** What the service is, for anyone. */
@ApiTags('gate')
@PublicRoute()
@Controller()
export class PlatformController {
  constructor(private readonly address: PublicAddress) {}

  @Get('healthz')
  @ApiOperation({
    operationId: 'healthCheck',
    summary: 'Health check',
    description: 'Returns service status. No authentication required.',
    security: [],
  })
  @Returns(HttpStatus.OK, Health, 'Service healthy')
  healthz(): z.infer<typeof Health> {
    return { status: 'ok', service: 'haldir', version: VERSION };
  }

  @Get('v1')
  @ApiOperation({
    operationId: 'apiIndex',
    summary: 'API index',
    description: 'Returns service info and available endpoint groups. No authentication required.',
    security: [],
  })
  @Returns(HttpStatus.OK, ApiIndex, 'API index')
  index(@Req() request: HaldirRequest): z.infer<typeof ApiIndex> {
    return apiIndex(this.address.of(request, '/docs'));
  }
}

export function apiIndex(docs: string): z.infer<typeof ApiIndex> {
  return { service: 'haldir', version: VERSION, docs, endpoints: ENDPOINTS };
}

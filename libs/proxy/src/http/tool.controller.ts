import { Controller, Get, HttpStatus, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Cursors, Refuses, RequiresScope, Returns } from '@haldir/http';
import { UpstreamService } from '../index.js';
import { ListProxyTools, ProxyToolList, toProxyTool } from './upstream.dto.js';

@ApiTags('proxy')
@Controller('v1/proxy/tools')
export class ToolController {
  constructor(
    @Inject(UpstreamService) private readonly upstreams: UpstreamService,
    @Inject(Cursors) private readonly cursors: Cursors,
  ) {}

  @Get()
  @RequiresScope('proxy:read')
  @ApiOperation({
    operationId: 'listProxyTools',
    summary: 'List all proxied tools',
    description: 'List all tools available through the proxy, aggregated from all registered upstreams.',
  })
  @Returns(HttpStatus.OK, ProxyToolList, 'Proxied tools')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentCaller() { tenantId }: Caller,
    @Query({ schema: ListProxyTools }) { limit, cursor }: ListProxyTools,
  ): Promise<ProxyToolList> {
    const identity = { tenantId, list: 'proxy_tools', filters: {} };
    const after = cursor === undefined ? null : toPosition(this.cursors.decode(identity, cursor));
    const found = await this.upstreams.tools(tenantId, limit + 1, after);
    const { items, nextCursor } = this.cursors.page(identity, found, limit, ({ upstream, name }) => [upstream, name]);
    return { count: items.length, tools: items.map(toProxyTool), next_cursor: nextCursor };
  }
}

function toPosition([upstream, name]: (string | number)[]): [upstream: string, name: string] {
  return [String(upstream), String(name)];
}

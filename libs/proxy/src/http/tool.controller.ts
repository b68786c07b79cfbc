import { Body, Controller, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
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
import { ToolPinsService } from '../catalogue/tool-pins.service.js';
import { AcceptTool, ListProxyTools, ProxyToolList, ToolAccepted, toProxyTool } from './tool.dto.js';

@ApiTags('proxy')
@Controller('v1/proxy')
export class ToolController {
  constructor(
    private readonly pins: ToolPinsService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Get('tools')
  @RequiresScope(['proxy:read', 'proxy:call'])
  @ApiOperation({
    operationId: 'listProxyTools',
    summary: 'List all proxied tools',
    description: 'List all tools available through the proxy, aggregated from all registered upstreams.',
  })
  @Returns(HttpStatus.OK, ProxyToolList, 'Proxied tools')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListProxyTools }) query: ListProxyTools,
  ): Promise<ProxyToolList> {
    const { limit, cursor, drifted, upstream, name_contains: nameContains } = query;
    const filter = { drifted: drifted === undefined ? undefined : drifted === 'true', upstream, nameContains };
    const { items, nextCursor } = await this.cursors.list(
      { tenantId, list: 'proxy_tools', filters: { drifted, upstream, nameContains } },
      { limit, cursor },
      (count, after) => this.pins.list(tenantId, filter, count, after && toPosition(after)),
      (tool) => [tool.upstream, tool.name],
    );
    return { count: items.length, tools: items.map(toProxyTool), next_cursor: nextCursor };
  }

  @Post('upstreams/:name/tools/:tool/accept')
  @RequiresScope('proxy:write')
  @ApiParam({ name: 'name', description: 'Upstream name', schema: { type: 'string' } })
  @ApiParam({ name: 'tool', description: "The tool's own name", schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'acceptTool',
    summary: 'Accept what an upstream says of a tool now',
    description:
      'Accept the changed definition of a tool that is held back, so that it is shown and can be called again. The fingerprint says which definition was looked at: if the upstream has changed the tool once more, or the definition hides something, nothing is accepted (409).',
  })
  @JsonBody(AcceptTool)
  @Returns(HttpStatus.OK, ToolAccepted, 'What is accepted now')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'Conflict', 'RateLimited')
  accept(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Param('tool') tool: string,
    @Body({ schema: AcceptTool }) { fingerprint }: AcceptTool,
    @Write() write: WriteRequest,
  ): Promise<ToolAccepted> {
    return this.writes.run(write, async (tx): Promise<ToolAccepted> => {
      await this.pins.accept(tx, actor, name, tool, Buffer.from(fingerprint, 'hex'));
      return { accepted: true, upstream: name, tool, fingerprint };
    });
  }
}

function toPosition([upstream, name]: (string | number)[]): [upstream: string, name: string] {
  return [String(upstream), String(name)];
}

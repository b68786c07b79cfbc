import { Body, Controller, Delete, Get, HttpStatus, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock } from '@haldir/kernel';
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
import { isConnectorUrl } from '../connectors/connector-url.js';
import { ToolPinsService } from '../catalogue/tool-pins.service.js';
import { PolicyService } from '../policies/policy.service.js';
import { Discovery } from '../registry/discovery.js';
import { CommandGiven, ConnectorUrlGiven } from '../registry/registry.errors.js';
import { UpstreamRegistry } from '../registry/upstream-registry.js';
import { looksLikeCommand } from './command-text.js';
import {
  ListUpstreams,
  RegisterUpstream,
  toCredentials,
  toDiscovered,
  toUpstream,
  UpstreamList,
  UpstreamRefreshed,
  UpstreamRegistered,
  UpstreamRemoved,
} from './upstream.dto.js';

import {
  ChangeUpstream,
  toChanges,
  toOwnLimits,
  toShownSettings,
  toUpstreamTerms,
  UpstreamChanged,
} from './upstream-settings.dto.js';

const NamePath = () => ApiParam({ name: 'name', description: 'Upstream name', schema: { type: 'string' } });

@ApiTags('proxy')
@Controller('v1/proxy/upstreams')
export class UpstreamController {
  constructor(
    private readonly upstreams: UpstreamRegistry,
    private readonly discovery: Discovery,
    private readonly pins: ToolPinsService,
    private readonly policies: PolicyService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  @Post()
  @RequiresScope('proxy:write')
  @ApiOperation({
    operationId: 'registerUpstream',
    summary: 'Register an upstream MCP server',
    description:
      "Register an upstream MCP server to proxy through Haldir. Haldir discovers the server's tools automatically.",
  })
  @JsonBody(RegisterUpstream)
  @Returns(HttpStatus.CREATED, UpstreamRegistered, 'Upstream registered')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async register(
    @CurrentActor() actor: Actor,
    @Body({ schema: RegisterUpstream }) body: RegisterUpstream,
    @Write() write: WriteRequest,
  ): Promise<UpstreamRegistered> {
    const earlier = await this.writes.earlier<UpstreamRegistered>(write);
    if (earlier) return earlier;
    const { name, url } = body;
    const { tenantId } = actor;
    if (isConnectorUrl(url)) throw new ConnectorUrlGiven();
    if (looksLikeCommand(url)) throw new CommandGiven();
    const registration = await this.discovery.examine({ tenantId, name, url }, toCredentials(body), toOwnLimits(body));
    return this.writes.run(write, async (tx): Promise<UpstreamRegistered> => {
      const examined = await this.upstreams.register(tx, actor, registration, toUpstreamTerms(body));
      return { registered: true, ...toDiscovered(examined) };
    });
  }

  @Get()
  @RequiresScope('proxy:read')
  @ApiOperation({
    operationId: 'listUpstreams',
    summary: 'List upstream servers',
    description: 'List all registered upstream MCP servers and their health status.',
  })
  @Returns(HttpStatus.OK, UpstreamList, 'Upstream server stats')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListUpstreams }) query: ListUpstreams,
  ): Promise<UpstreamList> {
    const { limit, cursor, healthy, name_contains: nameContains } = query;
    const filter = { healthy: healthy === undefined ? undefined : healthy === 'true', nameContains };
    const [{ items, nextCursor }, totalTools, policies] = await Promise.all([
      this.cursors.listByText(
        { tenantId, list: 'proxy_upstreams', filters: { healthy, nameContains } },
        { limit, cursor },
        (count, after) => this.upstreams.stats(tenantId, filter, count, after),
        ({ name }) => name,
      ),
      this.pins.total(tenantId),
      this.policies.count(tenantId),
    ]);
    const now = this.clock.now();
    return {
      upstreams: Object.fromEntries(items.map((stats) => [stats.name, toUpstream(stats, now)])),
      total_tools: totalTools,
      policies,
      count: items.length,
      next_cursor: nextCursor,
    };
  }

  @Patch(':name')
  @RequiresScope('proxy:write')
  @NamePath()
  @ApiOperation({
    operationId: 'changeUpstream',
    summary: 'Change settings of an upstream server',
    description:
      'Change how an upstream is treated and what it may take; what is left out stays, and so do its address, its headers, its tools with their pins and prices, and its statistics. Calls that begin afterwards go by it. Another address or other headers are another registration.',
  })
  @JsonBody(ChangeUpstream)
  @Returns(HttpStatus.OK, UpstreamChanged, 'The settings as they are now')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'RateLimited')
  change(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body({ schema: ChangeUpstream }) body: ChangeUpstream,
    @Write() write: WriteRequest,
  ): Promise<UpstreamChanged> {
    return this.writes.run(write, async (tx): Promise<UpstreamChanged> => ({
      name,
      ...toShownSettings(await this.upstreams.change(tx, actor, name, toChanges(body))),
    }));
  }

  @Delete(':name')
  @RequiresScope('proxy:write')
  @NamePath()
  @ApiOperation({
    operationId: 'removeUpstream',
    summary: 'Remove an upstream server',
    description: 'Remove an upstream with its tools; calls that begin afterwards do not find them.',
  })
  @Returns(HttpStatus.OK, UpstreamRemoved, 'Upstream removed')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  remove(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Write() write: WriteRequest,
  ): Promise<UpstreamRemoved> {
    return this.writes.run(write, async (tx): Promise<UpstreamRemoved> => {
      await this.upstreams.remove(tx, actor, name);
      return { deleted: true, name };
    });
  }

  @Post(':name/refresh')
  @RequiresScope('proxy:write')
  @NamePath()
  @ApiOperation({
    operationId: 'refreshUpstream',
    summary: 'Discover the tools of an upstream again',
    description: 'Ask an upstream for its tools now. While it does not answer, the tools it had stay known.',
  })
  @Returns(HttpStatus.OK, UpstreamRefreshed, 'What was discovered')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  async refresh(
    @CurrentActor() { tenantId }: Actor,
    @Param('name') name: string,
    @Write() write: WriteRequest,
  ): Promise<UpstreamRefreshed> {
    const earlier = await this.writes.earlier<UpstreamRefreshed>(write);
    if (earlier) return earlier;
    const examined = await this.upstreams.refresh(tenantId, name);
    return this.writes.run(write, async (): Promise<UpstreamRefreshed> => ({
      refreshed: true,
      ...toDiscovered(examined),
    }));
  }
}

import { Body, Controller, Delete, HttpStatus, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, microUsd } from '@haldir/kernel';
import {
  CurrentActor,
  decimal,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { z } from 'zod';
import { ToolPriceService } from '../catalogue/tool-price.service.js';

const PriceTool = z.object({
  price_usd: decimal({ decimals: 2, min: 0.01, max: 1_000_000 }).describe('Of each call, in whole cents'),
});
type PriceTool = z.infer<typeof PriceTool>;
const ToolPriced = z.object({ upstream: z.string(), tool: z.string(), price_usd: z.number() });
type ToolPriced = z.infer<typeof ToolPriced>;
const ToolPriceRemoved = z.object({ deleted: z.literal(true), upstream: z.string(), tool: z.string() });
type ToolPriceRemoved = z.infer<typeof ToolPriceRemoved>;

const NamePath = () => ApiParam({ name: 'name', description: 'Upstream name', schema: { type: 'string' } });
const ToolPath = () => ApiParam({ name: 'tool', description: "The tool's own name", schema: { type: 'string' } });

@ApiTags('proxy')
@Controller('v1/proxy/upstreams/:name/tools/:tool/price')
export class ToolPriceController {
  constructor(
    private readonly prices: ToolPriceService,
    private readonly writes: Writes,
  ) {}

  @Put()
  @RequiresScope('proxy:write')
  @NamePath()
  @ToolPath()
  @ApiOperation({
    operationId: 'priceTool',
    summary: 'Give a tool a price',
    description:
      "What each call of the tool costs. The price is held in the session's budget, its agent's of the day and the tenant's of the month before the call leaves, and spent with the tool's answer (one that says isError, too: the tool ran); without an answer it is given back. A call that a budget has no room for is refused (403, insufficient_budget).",
  })
  @JsonBody(PriceTool)
  @Returns(HttpStatus.OK, ToolPriced, 'The price')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'RateLimited')
  put(
    @CurrentActor() actor: Actor,
    @Param('name') upstream: string,
    @Param('tool') tool: string,
    @Body({ schema: PriceTool }) { price_usd }: PriceTool,
    @Write() write: WriteRequest,
  ): Promise<ToolPriced> {
    return this.writes.run(write, async (tx): Promise<ToolPriced> => {
      await this.prices.put(tx, actor, upstream, tool, microUsd(price_usd));
      return { upstream, tool, price_usd };
    });
  }

  @Delete()
  @RequiresScope('proxy:write')
  @NamePath()
  @ToolPath()
  @ApiOperation({
    operationId: 'removeToolPrice',
    summary: 'Take the price off a tool',
    description: 'Calls that begin afterwards cost nothing.',
  })
  @Returns(HttpStatus.OK, ToolPriceRemoved, 'Price removed')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  remove(
    @CurrentActor() actor: Actor,
    @Param('name') upstream: string,
    @Param('tool') tool: string,
    @Write() write: WriteRequest,
  ): Promise<ToolPriceRemoved> {
    return this.writes.run(write, async (tx): Promise<ToolPriceRemoved> => {
      await this.prices.remove(tx, actor, upstream, tool);
      return { deleted: true, upstream, tool };
    });
  }
}

import { Body, Controller, HttpStatus, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  Answers,
  CurrentActor,
  OpenToAgents,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { CallConclusions } from '../calls/call-conclusions.js';
import { attemptOf } from '../calls/outcome-table.js';
import { ToolCallService } from '../calls/tool-call.service.js';
import { CallFailed, CallRefused, ProxyCall, toCallAnswer, toNewCall, ToolResult } from './proxy-call.dto.js';

@ApiTags('proxy')
@Controller('v1/proxy/call')
export class ProxyCallController {
  constructor(
    private readonly calls: ToolCallService,
    private readonly conclusions: CallConclusions,
    private readonly writes: Writes,
  ) {}

  @Post()
  @RequiresScope('proxy:call')
  @OpenToAgents()
  @ApiOperation({
    operationId: 'proxyCall',
    summary: 'Call a tool through the proxy',
    description:
      "Call a tool on an upstream MCP server through Haldir's governance layer. The session is validated, permissions checked, policies enforced, and the call is logged to the audit trail.",
  })
  @JsonBody(ProxyCall)
  @Returns(HttpStatus.OK, ToolResult, 'Tool call result from upstream')
  @Answers(HttpStatus.FORBIDDEN, CallRefused, 'Blocked by policy or insufficient permissions')
  @Answers(HttpStatus.NOT_FOUND, CallRefused, 'Unknown or ambiguous tool')
  @Answers(HttpStatus.BAD_GATEWAY, CallFailed, 'The upstream could not be reached')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  call(
    @CurrentActor() actor: Actor,
    @Body({ schema: ProxyCall }) body: ProxyCall,
    @Write() write: WriteRequest,
  ): Promise<ToolResult> {
    const call = toNewCall(actor, body);
    return this.writes.around(
      write,
      this.calls.longestMs,
      async (claim) => attemptOf(await this.calls.perform({ ...call, claim })),
      async (performed, tx) => toCallAnswer(await this.conclusions.conclude(performed, tx)),
      (performed) => this.conclusions.concludeLater(performed),
    );
  }
}

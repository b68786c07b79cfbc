import { Controller, Get, HttpStatus } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { LogTree } from '@haldir/audit-log';
import { CurrentActor, Refuses, RequiresScope, Returns } from '@haldir/http';
import { LogKeyAnswer, toLogKey } from './audit-proof.dto.js';

type LogJwks = LogKeyAnswer['jwks'];

/** The key of the log where clients of v1 look for it. Each tenant's log has a key of its own, so it takes an API key to name it. */
@ApiTags('audit')
@Controller('.well-known')
export class LogJwksController {
  constructor(private readonly tree: LogTree) {}

  @Get('jwks.json')
  @RequiresScope('audit:read')
  @ApiOperation({
    operationId: 'getLogJwks',
    summary: 'Get the key of the log as a JWK set',
    description:
      "The key that signs the checkpoints of the caller's log (RFC 8037); its `kid` is the `key_id` of tree heads.",
  })
  @Returns(HttpStatus.OK, LogKeyAnswer.shape.jwks, 'JWK set')
  @Refuses('Unauthorized', 'RateLimited')
  async jwks(@CurrentActor() { tenantId }: Actor): Promise<LogJwks> {
    return toLogKey(await this.tree.head(tenantId, 0)).jwks;
  }
}

import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  type Caller,
  CurrentActor,
  CurrentCaller,
  Cursors,
  FailedAuthThrottle,
  type HaldirRequest,
  OptionalCaller,
  Origins,
  PublicRoute,
  Refuses,
  requireKeyScope,
  RequiresScope,
  Returns,
  Unauthenticated,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { ApiKeyService } from '../api-key.service.js';
import { FirstKeyDoor } from '../first-key-door.js';
import {
  ApiKeyCreated,
  ApiKeyList,
  ApiKeyRevoked,
  ApiKeyRotated,
  CreateApiKey,
  CreateApiKeyBody,
  ListApiKeys,
  RotateApiKey,
  RotateApiKeyBody,
  toApiKeyCreated,
  toApiKeyListItem,
  toApiKeyRotated,
  toNewKey,
} from './api-key.dto.js';

@ApiTags('gate')
@Controller('v1/keys')
export class ApiKeyController {
  constructor(
    private readonly keys: ApiKeyService,
    private readonly door: FirstKeyDoor,
    private readonly origins: Origins,
    private readonly failures: FailedAuthThrottle,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @PublicRoute({ ignoreKey: false })
  @ApiOperation({
    operationId: 'createApiKey',
    summary: 'Create an API key',
    description:
      'Create a new API key. The very first key requires no authentication. Subsequent keys require either a valid API key or the HALDIR_BOOTSTRAP_TOKEN. With `agent`, the key is an agent key: give that one to an agent.',
    security: [{}, { BearerAuth: [] }, { ApiKeyAuth: [] }],
  })
  @JsonBody(CreateApiKey, { required: false })
  @Returns(HttpStatus.CREATED, ApiKeyCreated, 'API key created')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  create(
    @OptionalCaller() caller: Caller | null,
    @Body({ schema: CreateApiKeyBody }) body: CreateApiKey,
    @Write() write: WriteRequest,
    @Req() { ip, headers: { origin } }: HaldirRequest,
  ): Promise<ApiKeyCreated> {
    const { bootstrap_token: token } = body;
    return this.failures.during(ip, () => {
      // Whoever may not ask for a key is not answered one again, either.
      const isFirst = caller === null && (token === undefined || token === '');
      if (caller) requireKeyScope(caller, ['admin:write']);
      else if (isFirst) this.checkFirst(origin, write);
      else this.keys.checkBootstrapToken(token ?? '');

      const key = toNewKey(body);
      return this.writes.run(write, async (tx) => {
        if (caller) return toApiKeyCreated(await this.keys.mint(tx, caller, key));
        return toApiKeyCreated(await (isFirst ? this.keys.mintFirst(tx, key) : this.keys.mintForNewTenant(tx, key)));
      });
    });
  }

  private checkFirst(origin: string | undefined, { idempotencyKey }: WriteRequest): void {
    if (this.origins.isForeign(origin)) {
      throw new Unauthenticated('The first key is not given to a page of another origin');
    }
    this.door.check(idempotencyKey !== null);
  }

  @Get()
  @RequiresScope('admin:read')
  @ApiOperation({
    operationId: 'listApiKeys',
    summary: 'List API keys',
    description:
      'List the keys of the tenant, oldest first, by kind, agent, prefix and status; never the keys themselves.',
  })
  @Returns(HttpStatus.OK, ApiKeyList, 'API keys')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListApiKeys }) query: ListApiKeys,
  ): Promise<ApiKeyList> {
    const { limit, cursor, kind, agent_id: agentId, prefix, status } = query;
    const filter = { kind, agentId, prefix, status };
    const { items, nextCursor } = await this.cursors.list(
      { tenantId, list: 'keys', filters: filter },
      { limit, cursor },
      (count, after) =>
        this.keys.list(
          tenantId,
          filter,
          count,
          after && { createdAt: new Date(Number(after[0])), publicId: String(after[1]) },
        ),
      (key) => [key.createdAt.getTime(), key.publicId],
    );
    return { keys: items.map(toApiKeyListItem), count: items.length, next_cursor: nextCursor };
  }

  @Post(':prefix/rotate')
  @HttpCode(HttpStatus.CREATED)
  @RequiresScope('admin:write')
  @ApiParam({ name: 'prefix', description: 'Prefix of the key, as the list shows it', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'rotateApiKey',
    summary: 'Rotate an API key',
    description:
      'Make a new secret for the same principal: its session, quota and idempotency go on. The old secret is good until the overlap ends.',
  })
  @JsonBody(RotateApiKey, { required: false })
  @Returns(HttpStatus.CREATED, ApiKeyRotated, 'API key rotated')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'NotFound', 'RateLimited')
  rotate(
    @CurrentCaller() caller: Caller,
    @Param('prefix') prefix: string,
    @Body({ schema: RotateApiKeyBody }) body: RotateApiKey,
    @Write() write: WriteRequest,
  ): Promise<ApiKeyRotated> {
    const rotation = { overlapSeconds: body.overlap_seconds, expiresAt: body.expires_at };
    return this.writes.run(write, async (tx) => toApiKeyRotated(await this.keys.rotate(tx, caller, prefix, rotation)));
  }

  @Delete(':prefix')
  @RequiresScope('admin:write')
  @ApiParam({ name: 'prefix', description: 'Prefix of the key, as the list shows it', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'revokeApiKey',
    summary: 'Revoke an API key',
    description: 'End a key; every process refuses it from the next request on.',
  })
  @Returns(HttpStatus.OK, ApiKeyRevoked, 'API key revoked')
  @Refuses('Unauthorized', 'Forbidden', 'NotFound', 'RateLimited')
  revoke(
    @CurrentActor() actor: Actor,
    @Param('prefix') prefix: string,
    @Write() write: WriteRequest,
  ): Promise<ApiKeyRevoked> {
    return this.writes.run(write, async (tx): Promise<ApiKeyRevoked> => {
      await this.keys.revoke(tx, actor, prefix);
      return { revoked: true, prefix };
    });
  }
}

import { Body, Controller, Delete, Get, Headers, HttpStatus, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { InvalidInput } from '@haldir/kernel';
import { keyPrefix } from '@haldir/gate';
import {
  type Caller,
  CurrentCaller,
  Cursors,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
} from '@haldir/http';
import { SecretService, type VaultCaller } from '../index.js';
import {
  ListSecrets,
  ReadSecret,
  SecretDeleted,
  SecretList,
  SecretRevealed,
  SecretStored,
  StoreSecret,
  toNewSecret,
} from './secret.dto.js';

const NamePath = () => ApiParam({ name: 'name', description: 'Secret name', schema: { type: 'string' } });

@ApiTags('vault')
@Controller('v1/secrets')
export class SecretController {
  constructor(
    @Inject(SecretService) private readonly secrets: SecretService,
    @Inject(Writes) private readonly writes: Writes,
    @Inject(Cursors) private readonly cursors: Cursors,
  ) {}

  @Post()
  @RequiresScope('vault:write')
  @ApiOperation({
    operationId: 'storeSecret',
    summary: 'Store an encrypted secret',
    description:
      'Store a secret in the Vault, encrypted at rest with AES. Optionally require a specific scope for retrieval.',
  })
  @ApiBody({ required: true, standardSchema: StoreSecret } as never)
  @Returns(HttpStatus.CREATED, SecretStored, 'Secret stored')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async store(
    @CurrentCaller() caller: Caller,
    @Body({ schema: StoreSecret }) body: StoreSecret,
    @Write() write: WriteRequest,
  ): Promise<SecretStored> {
    const key = await this.secrets.sealingKey(caller.tenantId);
    const wanted = toNewSecret(body);
    try {
      return await this.writes.run(write, async (tx): Promise<SecretStored> => {
        const { version } = await this.secrets.store(tx, toVaultCaller(caller), wanted, key);
        return { stored: true, name: wanted.name, version };
      });
    } finally {
      wanted.value.wipe();
    }
  }

  @Get()
  @RequiresScope('vault:read')
  @ApiOperation({
    operationId: 'listSecrets',
    summary: 'List secret names',
    description: 'List all stored secret names (never values).',
  })
  @Returns(HttpStatus.OK, SecretList, 'List of secret names')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentCaller() { tenantId }: Caller,
    @Query({ schema: ListSecrets }) { limit, cursor }: ListSecrets,
  ): Promise<SecretList> {
    const identity = { tenantId, list: 'secrets', filters: {} };
    const after = cursor === undefined ? null : String(this.cursors.decode(identity, cursor)[0]);
    const found = await this.secrets.list(tenantId, limit + 1, after);
    const { items, nextCursor } = this.cursors.page(identity, found, limit, (name) => [name]);
    return { secrets: items, count: items.length, next_cursor: nextCursor };
  }

  @Get(':name')
  @RequiresScope('vault:read')
  @NamePath()
  @ApiHeader({
    name: 'X-Session-ID',
    required: false,
    schema: { type: 'string' },
    description: 'Session ID for scope enforcement (alternative to query param)',
  })
  @ApiOperation({
    operationId: 'getSecret',
    summary: 'Retrieve a secret',
    description:
      'Retrieve a decrypted secret. Pass X-Session-ID header or session_id query param for scope-based access control.',
  })
  @Returns(HttpStatus.OK, SecretRevealed, 'Secret value')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'NotFound', 'RateLimited')
  async get(
    @CurrentCaller() caller: Caller,
    @Param('name') name: string,
    @Query({ schema: ReadSecret }) { session_id: inQuery }: ReadSecret,
    @Headers('x-session-id') inHeader: string | undefined,
  ): Promise<SecretRevealed> {
    if (inQuery !== undefined && inHeader !== undefined && inQuery !== inHeader) {
      throw new InvalidInput('session_id: expected the same session as in X-Session-ID, or only one of the two');
    }
    const value = await this.secrets.read(toVaultCaller(caller), name, inHeader ?? inQuery ?? null);
    return { name, value: value.reveal() };
  }

  @Delete(':name')
  @RequiresScope('vault:write')
  @NamePath()
  @ApiOperation({
    operationId: 'deleteSecret',
    summary: 'Delete a secret',
    description: 'Permanently delete a secret from the Vault.',
  })
  @Returns(HttpStatus.OK, SecretDeleted, 'Secret deleted')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  delete(
    @CurrentCaller() caller: Caller,
    @Param('name') name: string,
    @Write() write: WriteRequest,
  ): Promise<SecretDeleted> {
    return this.writes.run(write, async (tx): Promise<SecretDeleted> => {
      await this.secrets.delete(tx, toVaultCaller(caller), name);
      return { deleted: true, name };
    });
  }
}

function toVaultCaller({ tenantId, keyId }: Caller): VaultCaller {
  return { tenantId, key: keyPrefix(keyId) };
}

import { Body, Controller, Delete, Get, Headers, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock, InvalidInput } from '@haldir/kernel';
import {
  ClosedToPersons,
  CurrentActor,
  Cursors,
  OpenToAgents,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { DeletedSecrets } from '../deleted-secrets.js';
import { SecretService } from '../secret.service.js';
import { SecretVersionNotFound } from '../vault.errors.js';
import {
  ListSecrets,
  ListSecretVersions,
  ReadSecret,
  RollBackSecret,
  SecretDeleted,
  SecretList,
  SecretRevealed,
  SecretRolledBack,
  SecretStored,
  SecretVersionList,
  SecretVersionRevealed,
  StoreSecret,
  toNewSecret,
  toSecretRolledBack,
  toSecretStored,
  toSecretItem,
  toSecretVersionItem,
  toSecretVersionRevealed,
} from './secret.dto.js';

const NamePath = () => ApiParam({ name: 'name', description: 'Secret name', schema: { type: 'string' } });
const VersionPath = () =>
  ApiParam({ name: 'version', description: 'Version of the secret', schema: { type: 'integer', minimum: 1 } });
const SessionHeader = () =>
  ApiHeader({
    name: 'X-Session-ID',
    required: false,
    schema: { type: 'string' },
    description: 'Session ID for scope enforcement (alternative to query param)',
  });

@ApiTags('vault')
@Controller('v1/secrets')
export class SecretController {
  constructor(
    private readonly secrets: SecretService,
    private readonly deleted: DeletedSecrets,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  @Post()
  @RequiresScope('vault:write')
  @ApiOperation({
    operationId: 'storeSecret',
    summary: 'Store an encrypted secret',
    description:
      'Store a secret in the Vault, encrypted at rest with AES. Optionally require a specific scope for retrieval.',
  })
  @JsonBody(StoreSecret)
  @Returns(HttpStatus.CREATED, SecretStored, 'Secret stored')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async store(
    @CurrentActor() actor: Actor,
    @Body({ schema: StoreSecret }) body: StoreSecret,
    @Write() write: WriteRequest,
  ): Promise<SecretStored> {
    const wanted = toNewSecret(body);
    try {
      return await this.writes.run(write, async (tx) =>
        toSecretStored(wanted.name, await this.secrets.store(tx, actor, wanted)),
      );
    } finally {
      wanted.value.wipe();
    }
  }

  @Get()
  @RequiresScope('vault:read')
  @ApiOperation({
    operationId: 'listSecrets',
    summary: 'List secret names',
    description: 'List all stored secret names, and of each its newest version (never values).',
  })
  @Returns(HttpStatus.OK, SecretList, 'List of secret names')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListSecrets }) { limit, cursor }: ListSecrets,
  ): Promise<SecretList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'secrets', filters: {} },
      { limit, cursor },
      (count, after) => this.secrets.list(tenantId, count, after),
      ({ name }) => name,
    );
    const now = this.clock.now();
    return {
      secrets: items.map(({ name }) => name),
      details: items.map((secret) => toSecretItem(secret, now)),
      count: items.length,
      next_cursor: nextCursor,
    };
  }

  @Get(':name')
  @RequiresScope('vault:read')
  @OpenToAgents()
  @ClosedToPersons()
  @NamePath()
  @SessionHeader()
  @ApiOperation({
    operationId: 'getSecret',
    summary: 'Retrieve a secret',
    description:
      'Retrieve a decrypted secret. Pass X-Session-ID header or session_id query param for scope-based access control.',
  })
  @Returns(HttpStatus.OK, SecretRevealed, 'Secret value')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'NotFound', 'RateLimited')
  async get(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Query({ schema: ReadSecret }) { session_id: inQuery }: ReadSecret,
    @Headers('x-session-id') inHeader: string | undefined,
  ): Promise<SecretRevealed> {
    const { value } = await this.secrets.read(actor, name, oneSession(inHeader, inQuery));
    return { name, value: value.reveal() };
  }

  @Get(':name/versions')
  @RequiresScope('vault:read')
  @NamePath()
  @ApiOperation({
    operationId: 'listSecretVersions',
    summary: 'List the versions of a secret',
    description: 'List the versions of a secret, newest first (never values).',
  })
  @Returns(HttpStatus.OK, SecretVersionList, 'Versions of the secret')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'RateLimited')
  async listVersions(
    @CurrentActor() { tenantId }: Actor,
    @Param('name') name: string,
    @Query({ schema: ListSecretVersions }) { limit, cursor }: ListSecretVersions,
  ): Promise<SecretVersionList> {
    const { items, nextCursor } = await this.cursors.listByNumber(
      { tenantId, list: 'secret-versions', filters: { name } },
      { limit, cursor },
      (count, before) => this.secrets.listVersions(tenantId, name, count, before),
      ({ version }) => version,
    );
    const now = this.clock.now();
    return {
      name,
      versions: items.map((version) => toSecretVersionItem(version, now)),
      count: items.length,
      next_cursor: nextCursor,
    };
  }

  @Get(':name/versions/:version')
  @RequiresScope('vault:read')
  @OpenToAgents()
  @ClosedToPersons()
  @NamePath()
  @VersionPath()
  @SessionHeader()
  @ApiOperation({
    operationId: 'getSecretVersion',
    summary: 'Retrieve a version of a secret',
    description:
      'Retrieve the decrypted value of one version. A session needs the scope of that version and that of the newest one.',
  })
  @Returns(HttpStatus.OK, SecretVersionRevealed, 'Value of the version')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'NotFound', 'RateLimited')
  async getVersion(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Param('version') version: string,
    @Query({ schema: ReadSecret }) { session_id: inQuery }: ReadSecret,
    @Headers('x-session-id') inHeader: string | undefined,
  ): Promise<SecretVersionRevealed> {
    const session = oneSession(inHeader, inQuery);
    const opened = await this.secrets.read(actor, name, session, readVersion(version));
    return toSecretVersionRevealed(name, opened);
  }

  @Post(':name/rollback')
  @RequiresScope('vault:write')
  @NamePath()
  @ApiOperation({
    operationId: 'rollBackSecret',
    summary: 'Roll a secret back',
    description:
      'Store the value of an earlier version again, as a new version. It keeps its expiry; the scope it requires is that of the version it takes the place of.',
  })
  @JsonBody(RollBackSecret)
  @Returns(HttpStatus.CREATED, SecretRolledBack, 'Secret rolled back')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'RateLimited')
  rollBack(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body({ schema: RollBackSecret }) { version: from }: RollBackSecret,
    @Write() write: WriteRequest,
  ): Promise<SecretRolledBack> {
    return this.writes.run(write, async (tx) =>
      toSecretRolledBack(name, from, await this.secrets.rollBack(tx, actor, name, from)),
    );
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
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Write() write: WriteRequest,
  ): Promise<SecretDeleted> {
    return this.writes.run(write, async (tx): Promise<SecretDeleted> => {
      await this.deleted.delete(tx, actor, name);
      return { deleted: true, name };
    });
  }
}

function oneSession(inHeader: string | undefined, inQuery: string | undefined): string | null {
  if (inQuery !== undefined && inHeader !== undefined && inQuery !== inHeader) {
    throw new InvalidInput('session_id: expected the same session as in X-Session-ID, or only one of the two');
  }
  return inHeader ?? inQuery ?? null;
}

/** @throws SecretVersionNotFound for what cannot be a version: no secret has it */
function readVersion(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new SecretVersionNotFound();
  return Number(text);
}

import { Controller, Delete, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { CurrentActor, Cursors, Refuses, RequiresScope, Returns, Write, type WriteRequest, Writes } from '@haldir/http';
import { DeletedSecrets } from '../deleted-secrets.js';
import {
  DeletedSecretList,
  ListDeletedSecrets,
  SecretPurged,
  SecretRestored,
  toDeletedSecretItem,
} from './secret.dto.js';

const SecretIdPath = () =>
  ApiParam({ name: 'secret_id', description: 'secret_id of a deleted secret', schema: { type: 'string' } });

/** Beside `/v1/secrets`, where every path below names a secret. */
@ApiTags('vault')
@Controller('v1/deleted-secrets')
export class DeletedSecretController {
  constructor(
    private readonly deleted: DeletedSecrets,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @RequiresScope('vault:read')
  @ApiOperation({
    operationId: 'listDeletedSecrets',
    summary: 'List deleted secrets',
    description: 'List the secrets that were deleted and can still be restored, the last deleted first (never values).',
  })
  @Returns(HttpStatus.OK, DeletedSecretList, 'Deleted secrets')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListDeletedSecrets }) { limit, cursor, name }: ListDeletedSecrets,
  ): Promise<DeletedSecretList> {
    const page = await this.cursors.list(
      { tenantId, list: 'deleted-secrets', filters: { name } },
      { limit, cursor },
      (count, after) =>
        this.deleted.list(
          tenantId,
          name,
          count,
          after && { deletedAt: new Date(Number(after[0])), id: String(after[1]) },
        ),
      (secret) => [secret.deletedAt.getTime(), secret.id],
    );
    return { deleted: page.items.map(toDeletedSecretItem), count: page.items.length, next_cursor: page.nextCursor };
  }

  @Post(':secret_id/restore')
  @RequiresScope('vault:write')
  @SecretIdPath()
  @ApiOperation({
    operationId: 'restoreSecret',
    summary: 'Restore a deleted secret',
    description: 'Bring a deleted secret back, with all its versions. Refused (409) while another secret has its name.',
  })
  @Returns(HttpStatus.OK, SecretRestored, 'Secret restored')
  @Refuses('Unauthorized', 'NotFound', 'Conflict', 'RateLimited')
  restore(
    @CurrentActor() actor: Actor,
    @Param('secret_id') id: string,
    @Write() write: WriteRequest,
  ): Promise<SecretRestored> {
    return this.writes.run(write, async (tx): Promise<SecretRestored> => {
      const restored = await this.deleted.restore(tx, actor, id);
      return { restored: true, secret_id: id, ...restored };
    });
  }

  @Delete(':secret_id')
  @RequiresScope('vault:write')
  @SecretIdPath()
  @ApiOperation({
    operationId: 'purgeSecret',
    summary: 'Purge a deleted secret',
    description: 'Destroy a deleted secret and all its versions now. Nobody can restore it any more.',
  })
  @Returns(HttpStatus.OK, SecretPurged, 'Secret purged')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  purge(
    @CurrentActor() actor: Actor,
    @Param('secret_id') id: string,
    @Write() write: WriteRequest,
  ): Promise<SecretPurged> {
    return this.writes.run(write, async (tx): Promise<SecretPurged> => {
      const { name } = await this.deleted.purge(tx, actor, id);
      return { purged: true, secret_id: id, name };
    });
  }
}

import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock } from '@haldir/kernel';
import {
  CurrentActor,
  Cursors,
  JsonBody,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
} from '@haldir/http';
import { ApprovalGrants } from '../approval-grants.js';
import { ApprovalService } from '../approval.service.js';
import {
  GrantDetail,
  GrantList,
  GrantPreviewed,
  GrantRevoked,
  ListGrants,
  PreviewGrant,
  toGrantDetail,
  toGrantPreviewed,
  toGrantTerms,
} from './approval-grant.dto.js';

const GrantIdPath = () => ApiParam({ name: 'grant_id', schema: { type: 'string' } });

/** Approvals of calls alike; they are given with an approval. */
@ApiTags('approvals')
@Controller('v1')
export class ApprovalGrantController {
  constructor(
    private readonly grants: ApprovalGrants,
    private readonly approvals: ApprovalService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  @Get('approval-grants')
  @RequiresScope('approvals:read')
  @ApiOperation({
    operationId: 'listApprovalGrants',
    summary: 'List approval grants',
    description:
      'List approvals of several calls alike, newest first, those that are used up, over or revoked included.',
  })
  @Returns(HttpStatus.OK, GrantList, 'Approval grants')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListGrants }) { limit, cursor, agent_id: agentId, state }: ListGrants,
  ): Promise<GrantList> {
    const filter = { agentId, state };
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'approval_grants', filters: filter },
      { limit, cursor },
      (count, before) => this.grants.list(tenantId, filter, count, before),
      ({ id }) => id,
    );
    const now = this.clock.now();
    return { count: items.length, grants: items.map((grant) => toGrantDetail(grant, now)), next_cursor: nextCursor };
  }

  @Get('approval-grants/:grant_id')
  @RequiresScope('approvals:read')
  @GrantIdPath()
  @ApiOperation({
    operationId: 'getApprovalGrant',
    summary: 'Get an approval grant',
    description: 'What it allows, and how much of that is used.',
  })
  @Returns(HttpStatus.OK, GrantDetail, 'The grant')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  async get(@CurrentActor() { tenantId }: Actor, @Param('grant_id') grantId: string): Promise<GrantDetail> {
    return toGrantDetail(await this.grants.get(tenantId, grantId), this.clock.now());
  }

  @Delete('approval-grants/:grant_id')
  @RequiresScope('approvals:decide')
  @GrantIdPath()
  @ApiOperation({
    operationId: 'revokeApprovalGrant',
    summary: 'Revoke an approval grant',
    description: 'End a grant: from now on each call waits for a human again.',
  })
  @Returns(HttpStatus.OK, GrantRevoked, 'The grant is revoked')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  revoke(
    @CurrentActor() actor: Actor,
    @Param('grant_id') grantId: string,
    @Write() write: WriteRequest,
  ): Promise<GrantRevoked> {
    return this.writes.run(write, async (tx): Promise<GrantRevoked> => {
      await this.grants.revoke(tx, actor, grantId);
      return { revoked: true, grant_id: grantId };
    });
  }

  @Post('approvals/:request_id/grant-preview')
  @HttpCode(HttpStatus.OK)
  @RequiresScope('approvals:read')
  @ApiParam({ name: 'request_id', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'previewApprovalGrant',
    summary: 'Preview an approval grant',
    description:
      'How many of the calls that waited in the last seven days a grant, given with the approval of this request, would have let through. Changes nothing.',
  })
  @JsonBody(PreviewGrant)
  @Returns(HttpStatus.OK, GrantPreviewed, 'What the grant would have done')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'RateLimited')
  async preview(
    @CurrentActor() { tenantId }: Actor,
    @Param('request_id') requestId: string,
    @Body({ schema: PreviewGrant }) { grant }: PreviewGrant,
    @Write() write: WriteRequest,
  ): Promise<GrantPreviewed> {
    const earlier = await this.writes.earlier<GrantPreviewed>(write);
    if (earlier) return earlier;
    const request = await this.approvals.get(tenantId, requestId);
    const answer = toGrantPreviewed(await this.grants.preview(request, toGrantTerms(grant)));
    return write.idempotencyKey === null ? answer : this.writes.run(write, () => Promise.resolve(answer));
  }
}

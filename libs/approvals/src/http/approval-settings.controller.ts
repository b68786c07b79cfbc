import { Body, Controller, Get, HttpStatus, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  CurrentActor,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { z } from 'zod';
import { SelfApprovalService } from '../self-approval.service.js';

const settings = {
  forbid_self_approval: z
    .boolean('expected true or false')
    .describe('Whether the key that asked, or opened the session, may not decide'),
};
const SetApprovalSettings = z.object(settings);
type SetApprovalSettings = z.infer<typeof SetApprovalSettings>;
const ApprovalSettingsDetail = z.object(settings).meta({ id: 'ApprovalSettings' });
type ApprovalSettingsDetail = z.infer<typeof ApprovalSettingsDetail>;

@ApiTags('approvals')
@Controller('v1/approvals/settings')
export class ApprovalSettingsController {
  constructor(
    private readonly selfApproval: SelfApprovalService,
    private readonly writes: Writes,
  ) {}

  @Get()
  @RequiresScope('approvals:read')
  @ApiOperation({
    operationId: 'getApprovalSettings',
    summary: 'Get the approval settings',
    description: 'How the tenant wants its approvals.',
  })
  @Returns(HttpStatus.OK, ApprovalSettingsDetail, 'The settings')
  @Refuses('Unauthorized', 'RateLimited')
  async get(@CurrentActor() { tenantId }: Actor): Promise<ApprovalSettingsDetail> {
    const { forbidSelfApproval } = await this.selfApproval.settingsOf(tenantId);
    return { forbid_self_approval: forbidSelfApproval };
  }

  /** A key that may only decide must not be able to lift what keeps it from deciding. */
  @Post()
  @RequiresScope('admin:write')
  @ApiOperation({
    operationId: 'setApprovalSettings',
    summary: 'Change the approval settings',
    description: 'Change how the tenant wants its approvals; this holds for decisions that begin afterwards.',
  })
  @JsonBody(SetApprovalSettings)
  @Returns(HttpStatus.OK, ApprovalSettingsDetail, 'The settings')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  set(
    @CurrentActor() actor: Actor,
    @Body({ schema: SetApprovalSettings }) body: SetApprovalSettings,
    @Write() write: WriteRequest,
  ): Promise<ApprovalSettingsDetail> {
    const wanted = { forbidSelfApproval: body.forbid_self_approval };
    return this.writes.run(write, async (tx): Promise<ApprovalSettingsDetail> => {
      await this.selfApproval.change(tx, actor, wanted);
      return body;
    });
  }
}

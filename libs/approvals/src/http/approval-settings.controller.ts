import { Body, Controller, Get, HttpStatus, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, microUsd, toDollars } from '@haldir/kernel';
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
import { type ApprovalSettings } from '../approval-settings.entity.js';
import { ApprovalSettingsService } from '../approval-settings.service.js';

const MAX_RULES = 500;
const RULES_EXPECTED = `expected a list of at most ${MAX_RULES} ids of approval rules or policies`;
const forbid_self_approval = z
  .boolean('expected true or false')
  .describe('Whether the key that asked, or opened the session, may not decide');
const FROM =
  'A person signs, with a passkey, an approval of this amount (USD) or more, or of an amount that is no plain number; 0 for every approval, null for none by its amount';
const RULES = 'And an approval of what one of these policies or approval rules holds back; ids';

const DESTRUCTIVE =
  'Whether an approval may be given for several calls alike of a destructive tool, too; while it is false, such calls are each approved';

const SetApprovalSettings = z.object({
  forbid_self_approval,
  require_signature_from: decimal({ decimals: 6, min: 0, max: 1_000_000_000 })
    .nullish()
    .describe(`${FROM}. Stays as it is when it is left out`),
  require_signature_rules: z
    .array(z.string(RULES_EXPECTED).regex(/^(?:apl|pol)_[0-9a-z]{1,64}$/, RULES_EXPECTED), RULES_EXPECTED)
    .max(MAX_RULES, RULES_EXPECTED)
    .optional()
    .describe(`${RULES}. Stays as it is when it is left out`),
  destructive_grants: z
    .boolean('expected true or false')
    .optional()
    .describe(`${DESTRUCTIVE}. Stays as it is when it is left out`),
});
type SetApprovalSettings = z.infer<typeof SetApprovalSettings>;

const ApprovalSettingsDetail = z
  .object({
    forbid_self_approval,
    require_signature_from: z.number().nullable().describe(FROM),
    require_signature_rules: z.array(z.string()).describe(RULES),
    destructive_grants: z.boolean().describe(DESTRUCTIVE),
  })
  .meta({ id: 'ApprovalSettings' });
type ApprovalSettingsDetail = z.infer<typeof ApprovalSettingsDetail>;

function toApprovalSettingsDetail(settings: ApprovalSettings): ApprovalSettingsDetail {
  const { forbidSelfApproval, signatureFrom, signatureRules, destructiveGrants } = settings;
  return {
    forbid_self_approval: forbidSelfApproval,
    require_signature_from: signatureFrom === null ? null : toDollars(signatureFrom),
    require_signature_rules: signatureRules,
    destructive_grants: destructiveGrants,
  };
}

@ApiTags('approvals')
@Controller('v1/approvals/settings')
export class ApprovalSettingsController {
  constructor(
    private readonly settings: ApprovalSettingsService,
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
    return toApprovalSettingsDetail(await this.settings.find(tenantId));
  }

  /** A key that may only decide must not be able to lift what keeps it from deciding. */
  @Post()
  @RequiresScope('admin:write')
  @ApiOperation({
    operationId: 'setApprovalSettings',
    summary: 'Change the approval settings',
    description:
      'Change how the tenant wants its approvals; this holds for decisions that begin afterwards. Where an approval has to be signed, no key approves.',
  })
  @JsonBody(SetApprovalSettings)
  @Returns(HttpStatus.OK, ApprovalSettingsDetail, 'The settings')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  set(
    @CurrentActor() actor: Actor,
    @Body({ schema: SetApprovalSettings }) body: SetApprovalSettings,
    @Write() write: WriteRequest,
  ): Promise<ApprovalSettingsDetail> {
    const { require_signature_from: from, require_signature_rules: rules, destructive_grants: destructive } = body;
    const wanted = {
      forbidSelfApproval: body.forbid_self_approval,
      ...(from === undefined ? {} : { signatureFrom: from === null ? null : microUsd(from) }),
      ...(rules === undefined ? {} : { signatureRules: [...new Set(rules)] }),
      ...(destructive === undefined ? {} : { destructiveGrants: destructive }),
    };
    return this.writes.run(write, async (tx): Promise<ApprovalSettingsDetail> =>
      toApprovalSettingsDetail(await this.settings.change(tx, actor, wanted)),
    );
  }
}

import { Body, Controller, HttpStatus, Param, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { CurrentActor, ForPersons, Returns } from '@haldir/http';
import { PasskeyOptions } from '@haldir/people/http';
import { ApprovalOptionsBody, type ApprovalOptions, toGrantTerms } from './approval-grant.dto.js';
import { DecisionSigning } from './decision-signing.js';

/** For pages of Haldir's own, so docs/people.md describes it, and not the document that clients are made of. */
@ApiExcludeController()
@Controller('v1/approvals/:request_id')
export class DecisionOptionsController {
  constructor(private readonly signing: DecisionSigning) {}

  @Post('approve/options')
  @ForPersons('approvals:decide')
  @Returns(HttpStatus.OK, PasskeyOptions, 'What an approval is signed by')
  approval(
    @CurrentActor() actor: Actor,
    @Param('request_id') requestId: string,
    @Body({ schema: ApprovalOptionsBody }) { grant }: ApprovalOptions,
  ): Promise<PasskeyOptions> {
    return this.signing.options(actor, requestId, { status: 'approved', terms: grant ? toGrantTerms(grant) : null });
  }

  @Post('deny/options')
  @ForPersons('approvals:decide')
  @Returns(HttpStatus.OK, PasskeyOptions, 'What a denial is signed by')
  denial(@CurrentActor() actor: Actor, @Param('request_id') requestId: string): Promise<PasskeyOptions> {
    return this.signing.options(actor, requestId, { status: 'denied', terms: null });
  }
}

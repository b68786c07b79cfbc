import { Module } from '@nestjs/common';
import { GateModule } from '@haldir/gate';
import { PeopleModule } from '@haldir/people';
import { ApprovalsModule } from '../approvals.module.js';
import { ApprovalGrantController } from './approval-grant.controller.js';
import { ApprovalRuleController } from './approval-rule.controller.js';
import { ApprovalSettingsController } from './approval-settings.controller.js';
import { ApprovalPageController } from './approval-page.controller.js';
import { ApprovalController } from './approval.controller.js';
import { DecisionOptionsController } from './decision-options.controller.js';
import { DecisionSigning } from './decision-signing.js';

@Module({
  imports: [ApprovalsModule, GateModule, PeopleModule],
  controllers: [
    ...[ApprovalRuleController, ApprovalSettingsController, ApprovalController, ApprovalPageController],
    ...[ApprovalGrantController, DecisionOptionsController],
  ],
  providers: [DecisionSigning],
})
export class ApprovalsHttpModule {}

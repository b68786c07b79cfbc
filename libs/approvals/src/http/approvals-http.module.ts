import { Module } from '@nestjs/common';
import { GateModule } from '@haldir/gate';
import { ApprovalsModule } from '../approvals.module.js';
import { ApprovalRuleController } from './approval-rule.controller.js';
import { ApprovalSettingsController } from './approval-settings.controller.js';
import { ApprovalPageController } from './approval-page.controller.js';
import { ApprovalController } from './approval.controller.js';

@Module({
  imports: [ApprovalsModule, GateModule],
  controllers: [ApprovalRuleController, ApprovalSettingsController, ApprovalController, ApprovalPageController],
})
export class ApprovalsHttpModule {}

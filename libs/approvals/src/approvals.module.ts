import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GateModule } from '@haldir/gate';
import { ApprovalCounts } from './approval-counts.js';
import { ApprovalGrant } from './approval-grant.entity.js';
import { ApprovalGrantRepository } from './approval-grant.repository.js';
import { ApprovalGrants } from './approval-grants.js';
import { ApprovalRequest } from './approval-request.entity.js';
import { ApprovalOutcomeRepository } from './approval-outcome.repository.js';
import { ApprovalOutcomes } from './approval-outcomes.js';
import { ApprovalRequestRepository } from './approval-request.repository.js';
import { ApprovalRule } from './approval-rule.entity.js';
import { ApprovalRuleRepository } from './approval-rule.repository.js';
import { ApprovalRuleService } from './approval-rule.service.js';
import { ApprovalService } from './approval.service.js';
import { ApprovalTellings } from './approval-tellings.js';
import { ApprovalSettings } from './approval-settings.entity.js';
import { ApprovalSettingsRepository } from './approval-settings.repository.js';
import { ApprovalSettingsService } from './approval-settings.service.js';
import { ApprovalWaits } from './approval-waits.js';
import { DecisionChallengeRepository } from './decision-challenge.repository.js';
import { DecisionSignatures } from './decision-signatures.js';
import { SelfApprovalService } from './self-approval.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([ApprovalGrant, ApprovalRequest, ApprovalRule, ApprovalSettings]), GateModule],
  providers: [
    ApprovalCounts,
    ApprovalGrantRepository,
    ApprovalGrants,
    ApprovalOutcomeRepository,
    ApprovalOutcomes,
    ApprovalRequestRepository,
    ApprovalRuleRepository,
    ApprovalRuleService,
    ApprovalService,
    ApprovalSettingsRepository,
    ApprovalSettingsService,
    ApprovalTellings,
    ApprovalWaits,
    DecisionChallengeRepository,
    DecisionSignatures,
    SelfApprovalService,
  ],
  exports: [
    ...[ApprovalCounts, ApprovalGrants, ApprovalRuleService, ApprovalService, ApprovalSettingsService],
    ...[ApprovalOutcomes, ApprovalTellings, ApprovalWaits, DecisionSignatures, SelfApprovalService],
  ],
})
export class ApprovalsModule {}

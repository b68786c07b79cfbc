import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { VaultModule } from '@haldir/vault';
import { AnomalyScan } from './anomaly-scan.js';
import { AuditFinding } from './audit-finding.entity.js';
import { AuditFindingRepository } from './audit-finding.repository.js';
import { StoredAuditRule } from './audit-rule.entity.js';
import { AuditRuleRepository } from './audit-rule.repository.js';
import { AuditRuleService } from './audit-rule.service.js';
import { AuditTrailRepository } from './audit-trail.repository.js';
import { AuditTrailService } from './audit-trail.service.js';
import { ChainVerification } from './chain-verification.js';
import { LogTails } from './log-tails.js';
import { LoggedSpendingRepository } from './logged-spending.repository.js';
import { SpendService } from './spend.service.js';
import { SpentCheck } from './spent-check.js';
import { WholeLog } from './whole-log.js';

@Module({
  imports: [TypeOrmModule.forFeature([AuditFinding, StoredAuditRule]), VaultModule],
  providers: [
    AnomalyScan,
    AuditFindingRepository,
    AuditRuleRepository,
    AuditRuleService,
    AuditTrailRepository,
    AuditTrailService,
    ChainVerification,
    LoggedSpendingRepository,
    LogTails,
    SpendService,
    SpentCheck,
    WholeLog,
  ],
  exports: [
    AnomalyScan,
    AuditRuleService,
    AuditTrailService,
    ChainVerification,
    LogTails,
    SpendService,
    SpentCheck,
    WholeLog,
  ],
})
export class WatchModule {}

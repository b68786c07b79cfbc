import { Module } from '@nestjs/common';
import { VaultModule } from '@haldir/vault';
import { AnomalyScan } from './anomaly-scan.js';
import { AuditRuleRepository } from './audit-rule.repository.js';
import { AuditRuleService } from './audit-rule.service.js';
import { AuditTrailRepository } from './audit-trail.repository.js';
import { AuditTrailService } from './audit-trail.service.js';
import { ChainVerification } from './chain-verification.js';
import { SpendService } from './spend.service.js';
import { SpentCheck } from './spent-check.js';

@Module({
  imports: [VaultModule],
  providers: [
    AnomalyScan,
    AuditRuleRepository,
    AuditRuleService,
    AuditTrailRepository,
    AuditTrailService,
    ChainVerification,
    SpendService,
    SpentCheck,
  ],
  exports: [AnomalyScan, AuditRuleService, AuditTrailService, ChainVerification, SpendService, SpentCheck],
})
export class WatchModule {}

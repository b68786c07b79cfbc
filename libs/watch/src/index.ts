export { AnomalyScan } from './anomaly-scan.service.js';
export { AUDIT_RULE_TYPES, type AuditRule, type AuditRuleLimits } from './audit-rule.js';
export { AuditRuleService } from './audit-rule.service.js';
export { type AuditEntry, type AuditFilter } from './audit-trail.repository.js';
export { AuditTrailService, type ExportManifest } from './audit-trail.service.js';
export { ChainVerification, type ChainVerdict } from './chain-verification.service.js';
export { type PaidDayPosition, SpendService, type SpendSummary } from './spend.service.js';
export { AuditEntryNotFound } from './watch.errors.js';
export { WatchModule } from './watch.module.js';

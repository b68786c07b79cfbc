export { AuditTrailService } from './audit-trail.service.js';
export { ChainVerification } from './chain-verification.js';
export { SpendService } from './spend.service.js';
export { WatchModule } from './watch.module.js';
export { WholeLog } from './whole-log.js';

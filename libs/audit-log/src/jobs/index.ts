export { AuditLogJobsModule } from './audit-log-jobs.module.js';

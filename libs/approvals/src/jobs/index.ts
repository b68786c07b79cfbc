export { ApprovalsJobsModule } from './approvals-jobs.module.js';

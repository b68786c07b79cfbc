export { EvidenceJobsModule } from './evidence-jobs.module.js';

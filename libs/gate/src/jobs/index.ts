export { GateJobsModule } from './gate-jobs.module.js';

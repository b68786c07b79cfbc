export { WatchJobsModule } from './watch-jobs.module.js';

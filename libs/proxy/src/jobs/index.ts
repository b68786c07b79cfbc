export { ProxyJobsModule } from './proxy-jobs.module.js';

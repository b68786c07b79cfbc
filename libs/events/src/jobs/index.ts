export { EventsJobsModule } from './events-jobs.module.js';

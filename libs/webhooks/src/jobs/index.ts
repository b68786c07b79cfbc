export { WebhooksJobsModule } from './webhooks-jobs.module.js';

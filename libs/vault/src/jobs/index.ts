export { VaultJobsModule } from './vault-jobs.module.js';

export { migrateQueues, QueueConnection } from './queue-connection.js';
export { QueueModule } from './queue.module.js';
export { type JobPayload, type QueueDefinition, queues } from './queues.js';
export { runEvery, workerOptions } from './schedules.js';

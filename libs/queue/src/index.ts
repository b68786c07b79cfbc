export { Nudge } from './nudge.js';
export { migrateQueues, QueueConnection } from './queue-connection.js';
export { QueueModule } from './queue.module.js';
export { type JobPayload, queues } from './queues.js';
export { ScheduleKeeper } from './schedule-keeper.js';
export { workerOptions } from './schedules.js';

import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { AuditCheckpointProcessor } from './audit-checkpoint.processor.js';

@Module({ imports: [QueueModule.for(queues.auditCheckpoint)], providers: [AuditCheckpointProcessor] })
export class AuditLogJobsModule {}

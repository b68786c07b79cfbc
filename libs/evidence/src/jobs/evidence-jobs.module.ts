import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { EvidenceModule } from '../evidence.module.js';
import { EvidenceProcessor } from './evidence.processor.js';

@Module({ imports: [EvidenceModule, QueueModule.for(queues.evidence)], providers: [EvidenceProcessor] })
export class EvidenceJobsModule {}

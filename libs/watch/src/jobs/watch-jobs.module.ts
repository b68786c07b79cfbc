import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { WatchModule } from '../index.js';
import { AnomalyScanProcessor } from './anomaly-scan.processor.js';

@Module({ imports: [WatchModule, QueueModule.for(queues.anomalyScan)], providers: [AnomalyScanProcessor] })
export class WatchJobsModule {}

import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { WatchModule } from '../watch.module.js';
import { AnomalyScanProcessor } from './anomaly-scan.processor.js';
import { SpentCheckProcessor } from './spent-check.processor.js';

@Module({
  imports: [WatchModule, QueueModule.for(queues.anomalyScan, queues.spentCheck)],
  providers: [AnomalyScanProcessor, SpentCheckProcessor],
})
export class WatchJobsModule {}

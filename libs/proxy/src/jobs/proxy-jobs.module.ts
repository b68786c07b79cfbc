import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { ProxyModule } from '../index.js';
import { UpstreamHealthProcessor } from './upstream-health.processor.js';

@Module({ imports: [ProxyModule, QueueModule.for(queues.upstreamHealth)], providers: [UpstreamHealthProcessor] })
export class ProxyJobsModule {}

import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { ProxyModule } from '../proxy.module.js';
import { UnknownCallsProcessor } from './unknown-calls.processor.js';
import { UpstreamHealthProcessor } from './upstream-health.processor.js';
import { UpstreamListener } from './upstream-listener.js';

@Module({
  imports: [ProxyModule, QueueModule.for(queues.upstreamHealth, queues.unknownCalls)],
  providers: [UnknownCallsProcessor, UpstreamHealthProcessor, UpstreamListener],
})
export class ProxyJobsModule {}

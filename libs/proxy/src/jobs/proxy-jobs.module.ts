import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { ProxyModule } from '../proxy.module.js';
import { UnknownCallsProcessor } from './unknown-calls.processor.js';
import { UpstreamHealthProcessor } from './upstream-health.processor.js';
import { UpstreamListener } from './upstream-listener.js';
import { UpstreamSessionsProcessor } from './upstream-sessions.processor.js';

@Module({
  imports: [ProxyModule, QueueModule.for(queues.upstreamHealth, queues.unknownCalls, queues.upstreamSessions)],
  providers: [UnknownCallsProcessor, UpstreamHealthProcessor, UpstreamListener, UpstreamSessionsProcessor],
})
export class ProxyJobsModule {}

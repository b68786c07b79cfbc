import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { OutboxRelay } from './outbox-relay.js';
import { OutboxRelayProcessor } from './outbox-relay.processor.js';

@Module({
  imports: [QueueModule.for(queues.outboxRelay)],
  providers: [OutboxRelay, OutboxRelayProcessor],
})
export class EventsJobsModule {}

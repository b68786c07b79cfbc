import { Global, Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { EventListeners } from './event-listeners.js';
import { Outbox } from './outbox.js';

@Global()
@Module({
  imports: [QueueModule.for(queues.outboxRelay)],
  providers: [EventListeners, Outbox],
  exports: [EventListeners, Outbox],
})
export class EventsModule {}

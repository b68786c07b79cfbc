import { Global, Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { EventListeners } from './event-listeners.js';
import { Outbox } from './outbox.js';
import { OutboxRepository } from './outbox.repository.js';

@Global()
@Module({
  imports: [QueueModule.for(queues.outboxRelay)],
  providers: [EventListeners, Outbox, OutboxRepository],
  exports: [EventListeners, Outbox, OutboxRepository],
})
export class EventsModule {}

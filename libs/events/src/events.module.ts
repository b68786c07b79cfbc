import { Global, Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { Channels } from './channels.js';
import { EventListeners } from './event-listeners.js';
import { Outbox } from './outbox.js';
import { OutboxRepository } from './outbox.repository.js';

@Global()
@Module({
  imports: [QueueModule.for(queues.outboxRelay)],
  providers: [Channels, EventListeners, Outbox, OutboxRepository],
  exports: [Channels, EventListeners, Outbox, OutboxRepository],
})
export class EventsModule {}

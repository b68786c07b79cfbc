export { type EventListener, EventListeners, type PublishedEvent } from './event-listeners.js';
export { EventsModule } from './events.module.js';
export { EVENT_TYPES, Outbox } from './outbox.js';
export { OutboxRepository } from './outbox.repository.js';

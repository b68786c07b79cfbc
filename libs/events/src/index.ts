export { type EventListener, EventListeners, type PublishedEvent } from './event-listener.js';
export { EventsModule } from './events.module.js';
export { type DomainEvent, EVENT_TYPES, type EventType, Outbox } from './outbox.js';

export { type EventListener, EventListeners, type PublishedEvent } from './event-listener.js';
export { EventsModule } from './events.module.js';
export { EVENT_TYPES, Outbox } from './outbox.js';

export { EVENT_TYPES, type PublishedEvent } from './domain-event.js';
export { cutText, type Notice, noticeOf } from './event-notice.js';
export { type EventListener, EventListeners } from './event-listeners.js';
export { EventsModule } from './events.module.js';
export { Outbox } from './outbox.js';
export { OutboxRepository } from './outbox.repository.js';

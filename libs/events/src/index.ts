export { type Channel, Channels, type EventKey, type Tally } from './channels.js';
export { EVENT_TYPES, type PublishedEvent } from './domain-event.js';
export { cutText, type Notice, noticeOf } from './event-notice.js';
export { type EventListener, EventListeners } from './event-listeners.js';
export { EventsModule } from './events.module.js';
export { eventIdOf, Outbox } from './outbox.js';
export { OutboxRepository } from './outbox.repository.js';

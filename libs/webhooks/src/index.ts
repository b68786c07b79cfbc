export { type AttemptFilter, type LoggedAttempt } from './delivery-log.repository.js';
export { DeliveryLog, deliveryId, type Recovery } from './delivery-log.service.js';
export { DeliveryRetention } from './delivery-retention.js';
export {
  type AttemptOutcome,
  type ClaimedDelivery,
  type DeliveryKey,
  DeliveryRepository,
  type EndpointKey,
  type EndpointState,
} from './delivery.repository.js';
export { breakerPause, EndpointHealth } from './endpoint-health.js';
export { EndpointWaker } from './endpoint-waker.js';
export { nextAttempt, parseRetryAfter } from './retry-schedule.js';
export { messageHeaders } from './webhook-message.js';
export { SEALED_WEBHOOK_SECRETS, WebhookSecrets } from './webhook-secret.js';
export { type DisabledReason, type Webhook } from './webhook.entity.js';
export { WebhookRepository } from './webhook.repository.js';
export {
  type NewWebhook,
  type RegisteredWebhook,
  type RotatedSecret,
  type WebhookChanges,
  WebhookService,
} from './webhook.service.js';
export { WebhookNotFound } from './webhooks.errors.js';
export { WebhooksModule } from './webhooks.module.js';

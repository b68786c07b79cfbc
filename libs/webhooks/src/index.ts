export { DeliveryLog } from './delivery-log.service.js';
export { SEALED_WEBHOOK_SECRETS } from './webhook-secret.js';
export { WebhookService } from './webhook.service.js';
export { WebhooksModule } from './webhooks.module.js';

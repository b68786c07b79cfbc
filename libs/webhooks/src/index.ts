export { DeliveryLog } from './delivery-log.js';
export { SEALED_WEBHOOK_SECRETS } from './webhook-secrets.js';
export { WebhookService } from './webhook.service.js';
export { WebhooksModule } from './webhooks.module.js';

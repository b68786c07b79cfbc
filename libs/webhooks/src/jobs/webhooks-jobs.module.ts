import { Module } from '@nestjs/common';
import { EgressModule } from '@haldir/egress';
import { QueueModule, queues } from '@haldir/queue';
import { WebhooksModule } from '../webhooks.module.js';
import { DeliveryAttempts } from './delivery-attempts.js';
import { DeliveryEngine } from './delivery-engine.js';
import { WebhookDeliveryProcessor } from './webhook-delivery.processor.js';
import { WebhookFanOut } from './webhook-fan-out.js';
import { WebhookRetentionProcessor } from './webhook-retention.processor.js';
import { WebhookSweepProcessor } from './webhook-sweep.processor.js';

@Module({
  imports: [
    WebhooksModule,
    EgressModule,
    QueueModule.for(queues.webhookDelivery, queues.webhookRetention, queues.webhookSweep),
  ],
  providers: [
    DeliveryAttempts,
    DeliveryEngine,
    WebhookDeliveryProcessor,
    WebhookFanOut,
    WebhookRetentionProcessor,
    WebhookSweepProcessor,
  ],
})
export class WebhooksJobsModule {}

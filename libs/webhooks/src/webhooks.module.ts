import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EgressModule } from '@haldir/egress';
import { QueueModule, queues } from '@haldir/queue';
import { DeliveryLogRepository } from './delivery-log.repository.js';
import { DeliveryLog } from './delivery-log.js';
import { DeliveryRetention } from './delivery-retention.js';
import { Attempt, Delivery, WebhookEvent } from './delivery.entity.js';
import { DeliveryRepository } from './delivery.repository.js';
import { EndpointWaker } from './endpoint-waker.js';
import { FanOutRepository } from './fan-out.repository.js';
import { OldDeliveryRepository } from './old-delivery.repository.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WebhookChannel } from './webhook-channel.js';
import { Webhook } from './webhook.entity.js';
import { WebhookRepository } from './webhook.repository.js';
import { WebhookService } from './webhook.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Attempt, Delivery, Webhook, WebhookEvent]),
    EgressModule,
    QueueModule.for(queues.webhookDelivery),
  ],
  providers: [
    DeliveryLog,
    DeliveryLogRepository,
    DeliveryRepository,
    DeliveryRetention,
    EndpointWaker,
    FanOutRepository,
    OldDeliveryRepository,
    WebhookChannel,
    WebhookRepository,
    WebhookSecrets,
    WebhookService,
  ],
  exports: [
    DeliveryLog,
    DeliveryRepository,
    DeliveryRetention,
    EndpointWaker,
    FanOutRepository,
    WebhookRepository,
    WebhookSecrets,
    WebhookService,
  ],
})
export class WebhooksModule {}

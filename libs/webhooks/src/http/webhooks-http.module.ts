import { Module } from '@nestjs/common';
import { WebhooksModule } from '../webhooks.module.js';
import { DeliveryController } from './delivery.controller.js';
import { WebhookController } from './webhook.controller.js';

@Module({ imports: [WebhooksModule], controllers: [DeliveryController, WebhookController] })
export class WebhooksHttpModule {}

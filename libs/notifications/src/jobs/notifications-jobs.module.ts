import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CryptoModule } from '@haldir/crypto';
import { EgressModule } from '@haldir/egress';
import { QueueModule, queues } from '@haldir/queue';
import { MailTransport } from '../mail-transport.js';
import { NotificationsModule } from '../notifications.module.js';
import { PushSubscription } from '../push-subscription.entity.js';
import { PushTransport } from '../push-transport.js';
import { MailDeliveryProcessor } from './mail-delivery.processor.js';
import { MailFanOut } from './mail-fan-out.js';
import { MailRetentionProcessor } from './mail-retention.processor.js';
import { MailSender } from './mail-sender.js';
import { PushDeliveryProcessor } from './push-delivery.processor.js';
import { PushFanOut } from './push-fan-out.js';
import { PushSender } from './push-sender.js';

@Module({
  imports: [
    ...[NotificationsModule, CryptoModule, EgressModule, TypeOrmModule.forFeature([PushSubscription])],
    QueueModule.for(queues.mailDelivery, queues.mailRetention, queues.pushDelivery),
  ],
  providers: [
    ...[MailDeliveryProcessor, MailFanOut, MailRetentionProcessor, MailSender, MailTransport],
    ...[PushDeliveryProcessor, PushFanOut, PushSender, PushTransport],
  ],
})
export class NotificationsJobsModule {}

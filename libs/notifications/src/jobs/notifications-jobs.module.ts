import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { MailTransport } from '../mail-transport.js';
import { NotificationsModule } from '../notifications.module.js';
import { MailDeliveryProcessor } from './mail-delivery.processor.js';
import { MailFanOut } from './mail-fan-out.js';
import { MailRetentionProcessor } from './mail-retention.processor.js';
import { MailSender } from './mail-sender.js';

@Module({
  imports: [NotificationsModule, QueueModule.for(queues.mailDelivery, queues.mailRetention)],
  providers: [MailDeliveryProcessor, MailFanOut, MailRetentionProcessor, MailSender, MailTransport],
})
export class NotificationsJobsModule {}

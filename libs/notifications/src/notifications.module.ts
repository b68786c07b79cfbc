import { Module } from '@nestjs/common';
import { CryptoModule } from '@haldir/crypto';
import { MailRepository } from './mail.repository.js';
import { MessageChannels } from './message-channels.js';
import { PushMessageRepository } from './push-message.repository.js';
import { PushSeal } from './push-seal.js';
import { PushSubscriptionRepository } from './push-subscription.repository.js';
import { VapidKey } from './vapid-key.js';

@Module({
  imports: [CryptoModule],
  providers: [MailRepository, MessageChannels, PushMessageRepository, PushSeal, PushSubscriptionRepository, VapidKey],
  exports: [MailRepository, PushMessageRepository, PushSeal, PushSubscriptionRepository, VapidKey],
})
export class NotificationsModule {}

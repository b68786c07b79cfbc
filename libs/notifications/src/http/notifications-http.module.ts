import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EgressModule } from '@haldir/egress';
import { PeopleModule } from '@haldir/people';
import { NotificationChoice } from '../notification-choice.entity.js';
import { NotificationChoiceRepository } from '../notification-choice.repository.js';
import { NotificationsModule } from '../notifications.module.js';
import { NotificationsService } from '../notifications.service.js';
import { PushSubscription } from '../push-subscription.entity.js';
import { PushSubscriptionsService } from '../push-subscriptions.service.js';
import { OwnNotificationsController } from './own-notifications.controller.js';
import { OwnPushController } from './own-push.controller.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([NotificationChoice, PushSubscription]),
    ...[EgressModule, NotificationsModule, PeopleModule],
  ],
  controllers: [OwnNotificationsController, OwnPushController],
  providers: [NotificationChoiceRepository, NotificationsService, PushSubscriptionsService],
})
export class NotificationsHttpModule {}

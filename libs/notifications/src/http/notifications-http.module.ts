import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PeopleModule } from '@haldir/people';
import { NotificationChoice } from '../notification-choice.entity.js';
import { NotificationChoiceRepository } from '../notification-choice.repository.js';
import { NotificationsModule } from '../notifications.module.js';
import { NotificationsService } from '../notifications.service.js';
import { OwnNotificationsController } from './own-notifications.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([NotificationChoice]), NotificationsModule, PeopleModule],
  controllers: [OwnNotificationsController],
  providers: [NotificationChoiceRepository, NotificationsService],
})
export class NotificationsHttpModule {}

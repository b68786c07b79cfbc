import { Module } from '@nestjs/common';
import { MailChannel } from './mail-channel.js';
import { MailRepository } from './mail.repository.js';

@Module({ providers: [MailChannel, MailRepository], exports: [MailRepository] })
export class NotificationsModule {}

import { Injectable } from '@nestjs/common';
import { Channels } from '@haldir/events';
import { MailRepository } from './mail.repository.js';
import { PushMessageRepository } from './push-message.repository.js';

/** Says whom e-mail and Web Push have told. */
@Injectable()
export class MessageChannels {
  constructor(mails: MailRepository, pushes: PushMessageRepository, channels: Channels) {
    channels.add(mails);
    channels.add(pushes);
  }
}

import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { type Queue } from 'bullmq';
import { MailSender } from './mail-sender.js';
import { PushSender } from './push-sender.js';

const EVERY_MS = 600_000;

/** Removes old e-mails and messages to browsers. */
@Processor(queues.mailRetention.name, workerOptions)
export class MailRetentionProcessor extends WorkerHost {
  constructor(
    private readonly mails: MailSender,
    private readonly pushes: PushSender,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.mailRetention.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.mails.purge();
    await this.pushes.purge();
  }
}

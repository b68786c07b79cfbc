import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { type Queue } from 'bullmq';
import { MailSender } from './mail-sender.js';

const EVERY_MS = 600_000;

/** Removes old e-mails. */
@Processor(queues.mailRetention.name, workerOptions)
export class MailRetentionProcessor extends WorkerHost {
  constructor(
    private readonly sender: MailSender,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.mailRetention.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.sender.purge();
  }
}

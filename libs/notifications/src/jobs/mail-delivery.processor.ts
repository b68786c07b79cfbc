import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { type Queue } from 'bullmq';
import { MailSender } from './mail-sender.js';

const EVERY_MS = 2000;

/** Sends what is due: when something was made, when its time has come, and what a lost job left behind. */
@Processor(queues.mailDelivery.name, workerOptions)
export class MailDeliveryProcessor extends WorkerHost {
  constructor(
    private readonly sender: MailSender,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.mailDelivery.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.sender.drain();
  }
}

import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { type Queue } from 'bullmq';
import { PushSender } from './push-sender.js';

const EVERY_MS = 2000;

/** Sends what is due: when something was made, when its time has come, and what a lost job left behind. */
@Processor(queues.pushDelivery.name, workerOptions)
export class PushDeliveryProcessor extends WorkerHost {
  constructor(
    private readonly sender: PushSender,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.pushDelivery.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.sender.drain();
  }
}

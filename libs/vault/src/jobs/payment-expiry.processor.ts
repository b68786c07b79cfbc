import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { HoldService } from '../hold.service.js';

const EVERY_MS = 2000;

/** Sets free what is held by payments whose time is up; until it does they cannot be captured all the same. */
@Processor(queues.paymentExpiry.name, workerOptions)
export class PaymentExpiryProcessor extends WorkerHost {
  constructor(
    private readonly holds: HoldService,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.paymentExpiry.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.holds.expireDue();
  }
}

import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { DeliveryRetention } from '../delivery-retention.js';

const EVERY_MS = 600_000;

/** Removes old events with their deliveries and attempts. */
@Processor(queues.webhookRetention.name, workerOptions)
export class WebhookRetentionProcessor extends WorkerHost {
  constructor(
    private readonly retention: DeliveryRetention,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.webhookRetention.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.retention.purge();
  }
}

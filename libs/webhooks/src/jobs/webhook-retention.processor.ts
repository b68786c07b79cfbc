import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { DeliveryRetention } from '../index.js';

const EVERY_MS = 600_000;

/** Removes old events with their deliveries and attempts. */
@Processor(queues.webhookRetention.name, workerOptions)
export class WebhookRetentionProcessor extends WorkerHost {
  constructor(
    @Inject(DeliveryRetention) private readonly retention: DeliveryRetention,
    @Inject(ScheduleKeeper) schedules: ScheduleKeeper,
    @InjectQueue(queues.webhookRetention.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.retention.purge();
  }
}

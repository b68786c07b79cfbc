import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { Clock } from '@haldir/kernel';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { DeliveryRepository } from '../delivery.repository.js';
import { EndpointWaker } from '../endpoint-waker.js';

const EVERY_MS = 1000;

/** Wakes every endpoint that has something due: retries whose time has come, and whatever a lost job left behind. */
@Processor(queues.webhookSweep.name, workerOptions)
export class WebhookSweepProcessor extends WorkerHost {
  constructor(
    private readonly deliveries: DeliveryRepository,
    private readonly waker: EndpointWaker,
    private readonly clock: Clock,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.webhookSweep.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    this.waker.wake(await this.deliveries.endpointsWithDue(this.clock.now()));
  }
}

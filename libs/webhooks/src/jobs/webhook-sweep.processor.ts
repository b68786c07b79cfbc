import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { Clock } from '@haldir/kernel';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { DeliveryRepository, EndpointWaker } from '../index.js';

const EVERY_MS = 1000;

/** Wakes every endpoint that has something due: retries whose time has come, and whatever a lost job left behind. */
@Processor(queues.webhookSweep.name, workerOptions)
export class WebhookSweepProcessor extends WorkerHost {
  constructor(
    @Inject(DeliveryRepository) private readonly deliveries: DeliveryRepository,
    @Inject(EndpointWaker) private readonly waker: EndpointWaker,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(ScheduleKeeper) schedules: ScheduleKeeper,
    @InjectQueue(queues.webhookSweep.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    this.waker.wake(await this.deliveries.endpointsWithDue(this.clock.now()));
  }
}

import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { OutboxRelay } from './outbox-relay.js';

/** For events whose writer could not tell the relay itself. */
const EVERY_MS = 500;

@Processor(queues.outboxRelay.name, workerOptions)
export class OutboxRelayProcessor extends WorkerHost {
  constructor(
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
    @Inject(ScheduleKeeper) schedules: ScheduleKeeper,
    @InjectQueue(queues.outboxRelay.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.relay.drain();
  }
}

import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { OutboxRelay } from './outbox-relay.js';

/** For events whose writer could not tell the relay itself. */
const EVERY_MS = 500;

@Processor(queues.outboxRelay.name, workerOptions)
export class OutboxRelayProcessor extends WorkerHost {
  constructor(
    private readonly relay: OutboxRelay,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.outboxRelay.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.relay.drain();
  }
}

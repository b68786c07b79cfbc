import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { KeyExpiry } from '../key-expiry.js';
import { SessionExpiry } from '../session-expiry.js';

const EVERY_MS = 10_000;
/** Batches in one run; what is left waits for the next. */
const MAX_BATCHES = 100;

@Processor(queues.sessionExpiry.name, workerOptions)
export class SessionExpiryProcessor extends WorkerHost {
  constructor(
    private readonly expiry: SessionExpiry,
    private readonly keys: KeyExpiry,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.sessionExpiry.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    for (let i = 0; i < MAX_BATCHES && (await this.expiry.announce()) > 0; i++);
    for (let i = 0; i < MAX_BATCHES && (await this.keys.announce()) > 0; i++);
    for (let i = 0; i < MAX_BATCHES && (await this.expiry.purge()) > 0; i++);
  }
}

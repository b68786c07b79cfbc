import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { UnknownCalls } from '../calls/unknown-calls.js';

const EVERY_MS = 2_000;

/** Writes down the calls of processes that died. */
@Processor(queues.unknownCalls.name, workerOptions)
export class UnknownCallsProcessor extends WorkerHost {
  constructor(
    private readonly calls: UnknownCalls,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.unknownCalls.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.calls.closeAbandoned();
  }
}

import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { SpentCheck } from '../spent-check.js';

const EVERY_MS = 300_000;

@Processor(queues.spentCheck.name, workerOptions)
export class SpentCheckProcessor extends WorkerHost {
  constructor(
    private readonly check: SpentCheck,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.spentCheck.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.check.run();
  }
}

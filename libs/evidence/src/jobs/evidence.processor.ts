import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { EvidenceMaker } from '../evidence-maker.js';

/** What nobody was told of, and what a dead process left, is found this soon. */
const EVERY_MS = 5_000;

/** Makes the packages that wait; a job lasts as long as there are any. */
@Processor(queues.evidence.name, workerOptions)
export class EvidenceProcessor extends WorkerHost {
  constructor(
    private readonly maker: EvidenceMaker,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.evidence.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.maker.run();
  }
}

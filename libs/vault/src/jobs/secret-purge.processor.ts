import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { DeletedSecrets } from '../deleted-secrets.js';

const EVERY_MS = 10_000;
/** Batches in one run; what is left waits for the next. */
const MAX_BATCHES = 100;

/** Removes deleted secrets whose time to be brought back is over, and what expired; until it does nobody sees them all the same. */
@Processor(queues.secretPurge.name, workerOptions)
export class SecretPurgeProcessor extends WorkerHost {
  constructor(
    private readonly deleted: DeletedSecrets,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.secretPurge.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    for (let i = 0; i < MAX_BATCHES && (await this.deleted.purgeDue()) > 0; i++);
  }
}

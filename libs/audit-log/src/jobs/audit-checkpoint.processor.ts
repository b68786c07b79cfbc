import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { Metrics } from '@haldir/runtime';
import { LogSums } from '../log-sums.js';
import { LogTree } from '../log-tree.js';

/** An entry is under a signed checkpoint at most this long after its commit, and the time of the signing itself. */
const EVERY_MS = 500;

/** Builds tiles, signs checkpoints and advances the sums of every log that has grown. */
@Processor(queues.auditCheckpoint.name, workerOptions)
export class AuditCheckpointProcessor extends WorkerHost {
  constructor(
    private readonly tree: LogTree,
    private readonly sums: LogSums,
    schedules: ScheduleKeeper,
    metrics: Metrics,
    @InjectQueue(queues.auditCheckpoint.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
    metrics.gauge(
      'haldir_checkpoint_lag_seconds',
      'Age of the oldest log entry that no signed checkpoint holds yet; 0 when all are signed',
      [],
      async () => [[{}, await tree.lagSeconds()]],
    );
  }

  override async process(): Promise<void> {
    await this.tree.signGrown();
    await this.sums.advanceFar();
  }
}

import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { UpstreamSessionReaper } from '../upstreams/upstream-session-reaper.js';

const EVERY_MS = 2_000;

/** Ends sessions with upstreams that nobody needs any more. */
@Processor(queues.upstreamSessions.name, workerOptions)
export class UpstreamSessionsProcessor extends WorkerHost {
  constructor(
    private readonly reaper: UpstreamSessionReaper,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.upstreamSessions.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.reaper.endOver();
  }
}

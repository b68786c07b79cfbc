import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { Clock } from '@haldir/kernel';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { LinkedResources } from '../calls/linked-resources.js';
import { UpstreamSessionReaper } from '../upstreams/upstream-session-reaper.js';

const EVERY_MS = 2_000;

/** Ends sessions with upstreams that nobody needs any more, and forgets what was named to sessions that are over. */
@Processor(queues.upstreamSessions.name, workerOptions)
export class UpstreamSessionsProcessor extends WorkerHost {
  constructor(
    private readonly reaper: UpstreamSessionReaper,
    private readonly links: LinkedResources,
    private readonly clock: Clock,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.upstreamSessions.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.reaper.endOver();
    await this.links.purge(this.clock.now());
  }
}

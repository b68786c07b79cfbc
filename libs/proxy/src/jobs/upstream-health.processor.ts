import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { RateLimiter } from '../policies/rate-limiter.js';
import { UpstreamHealthService } from '../registry/upstream-health.service.js';

const EVERY_MS = 2_000;
const FORGET_EVERY_MS = 60_000;

/** Asks upstreams whether they are there and what they offer, and forgets the rate windows of agents that went quiet. */
@Processor(queues.upstreamHealth.name, workerOptions)
export class UpstreamHealthProcessor extends WorkerHost {
  private forgotAt = -Infinity;

  constructor(
    private readonly health: UpstreamHealthService,
    private readonly limiter: RateLimiter,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.upstreamHealth.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.health.checkDue();
    if (performance.now() - this.forgotAt < FORGET_EVERY_MS) return;
    this.forgotAt = performance.now();
    await this.limiter.forgetIdle();
  }
}

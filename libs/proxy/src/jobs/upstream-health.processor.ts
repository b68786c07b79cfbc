import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';

import { type Queue } from 'bullmq';
import { Clock } from '@haldir/kernel';
import { Metrics } from '@haldir/runtime';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { ConnectorExchangeRepository } from '../connectors/connector-exchange.repository.js';
import { ConnectorLeaseRepository } from '../connectors/connector-lease.repository.js';
import { RateLimiter } from '../policies/rate-limiter.js';
import { UpstreamHealthService } from '../registry/upstream-health.service.js';
import { CircuitRepository } from '../upstreams/circuit.repository.js';

const EVERY_MS = 2_000;
const FORGET_EVERY_MS = 60_000;

/** Asks upstreams whether they are there and what they offer, and forgets rate windows of quiet agents, and what connectors left. */
@Processor(queues.upstreamHealth.name, workerOptions)
export class UpstreamHealthProcessor extends WorkerHost {
  private forgotAt = -Infinity;

  constructor(
    private readonly health: UpstreamHealthService,
    private readonly limiter: RateLimiter,
    private readonly exchanges: ConnectorExchangeRepository,
    private readonly leases: ConnectorLeaseRepository,
    circuits: CircuitRepository,
    metrics: Metrics,
    clock: Clock,
    schedules: ScheduleKeeper,
    @InjectQueue(queues.upstreamHealth.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
    const help = 'Upstreams whose circuit is not closed, by its state';
    metrics.gauge('haldir_upstream_circuits', help, ['state'], async () =>
      Object.entries(await circuits.count(clock.now())).map(([state, count]) => [{ state }, count]),
    );
  }

  override async process(): Promise<void> {
    await this.health.checkDue();
    if (performance.now() - this.forgotAt < FORGET_EVERY_MS) return;
    this.forgotAt = performance.now();
    await this.limiter.forgetIdle();
    await this.exchanges.purge();
    await this.leases.purge();
  }
}

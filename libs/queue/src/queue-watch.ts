import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { WorkerHost } from '@nestjs/bullmq';
import { DiscoveryService } from '@nestjs/core';
import { Queue } from 'bullmq';
import { Clock, Unavailable } from '@haldir/kernel';
import { isConnectionFailure } from '@haldir/database';
import { Log, Metrics } from '@haldir/runtime';
import { OutageLog } from './outage-log.js';
import { QueueConnection } from './queue-connection.js';

const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

/**
 * Looks after every queue and worker of the process: logs what goes wrong with them without flooding, lets workers
 * finish what runs before anything they need is closed (unless the store is away), and reports depth and age.
 */
@Injectable()
export class QueueWatch implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly outages: OutageLog;
  private readonly waits: OutageLog;
  private hosts: WorkerHost[] = [];

  constructor(
    private readonly connection: QueueConnection,
    private readonly discovery: DiscoveryService,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.outages = new OutageLog(log, 'queue.error');
    this.waits = new OutageLog(log, 'job.database_away');
  }

  onModuleInit(): void {
    for (const queue of this.instancesOf(Queue)) queue.on('error', (error) => this.outages.report(error));
  }

  onApplicationBootstrap(): void {
    this.hosts = this.instancesOf(WorkerHost);
    for (const { worker } of this.hosts) {
      worker.on('error', (error) => this.outages.report(error));
      worker.on('failed', (job, error) => {
        // Jobs come again; that the database is away is one thing, however many find it out. So is that the store of the queues is,
        // when the end of a job is what cannot be noted.
        if (error instanceof Unavailable) this.waits.report(error);
        else if (isConnectionFailure(error)) this.outages.report(error);
        else this.log.error({ event: 'job.failed', queue: worker.name, job: job?.id }, error);
      });
    }
    if (this.hosts.length > 0) this.report();
  }

  async beforeApplicationShutdown(): Promise<void> {
    const isAway = await this.connection.ping().then(
      () => false,
      () => true,
    );
    // A store that is away takes no job's end and no good-bye, and BullMQ would wait for both. Rows remember.
    await Promise.all(this.hosts.map(({ worker }) => worker.close(isAway)));
    if (isAway) await Promise.all(this.instancesOf(Queue).map(({ backend }) => backend.close(true)));
  }

  private report(): void {
    const worked = new Set(this.hosts.map(({ worker }) => worker.name));
    const queues = this.instancesOf(Queue).filter(({ name }) => worked.has(name));
    this.metrics.gauge('haldir_queue_jobs', 'Jobs by queue and state', ['queue', 'state'], async () => {
      const counts = await Promise.all(
        queues.map(async (queue): Promise<[Record<string, string>, number][]> => {
          const found = await queue.getJobCounts(...STATES);
          return STATES.map((state) => [{ queue: queue.name, state }, found[state] ?? 0]);
        }),
      );
      return counts.flat();
    });
    this.metrics.gauge(
      'haldir_queue_oldest_job_seconds',
      'Age of the job that waits longest, by queue; 0 when none waits',
      ['queue'],
      () =>
        Promise.all(
          queues.map(async (queue): Promise<[Record<string, string>, number]> => {
            const [oldest] = await queue.getJobs(['waiting'], 0, 0, true);
            const since = oldest ? oldest.timestamp : this.clock.now().getTime();
            return [{ queue: queue.name }, Math.max(0, this.clock.now().getTime() - since) / 1000];
          }),
        ),
    );
  }

  /** One of each, however many modules know it. */
  private instancesOf<T extends object>(type: abstract new (...args: never[]) => T): T[] {
    const found = new Set<T>();
    for (const { instance } of this.discovery.getProviders()) {
      if (instance instanceof type) found.add(instance);
    }
    return [...found];
  }
}

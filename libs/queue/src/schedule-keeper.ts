import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { Clock } from '@haldir/kernel';
import { Log } from '@haldir/runtime';
import { OutageLog } from './outage-log.js';
import { QueueConnection } from './queue-connection.js';
import { runEvery } from './schedules.js';

const CHECK_MS = 5000;

interface Schedule {
  queue: Queue;
  everyMs: number;
}

/**
 * Keeps the schedules of a worker alive: declares them at start, looks every five seconds and whenever Redis comes back
 * whether they are still there, and declares again what a flushed Redis forgot.
 */
@Injectable()
export class ScheduleKeeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly schedules = new Map<string, Schedule>();
  private readonly checking = new Set<string>();
  private readonly outages: OutageLog;
  private readonly onReconnect = (): void => this.check();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly connection: QueueConnection,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.outages = new OutageLog(log, 'queue.schedule_failed');
  }

  /** Has `queue` run one job every `everyMs`, for as long as this process lives. One schedule per queue; the last call counts. */
  every(queue: Queue, everyMs: number): void {
    this.schedules.set(queue.name, { queue, everyMs });
    if (this.timer) this.check();
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.check(), CHECK_MS);
    this.timer.unref();
    this.connection.redis?.on('ready', this.onReconnect);
    this.check();
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    this.connection.redis?.off('ready', this.onReconnect);
    this.schedules.clear();
  }

  private check(): void {
    for (const schedule of this.schedules.values()) {
      const { name } = schedule.queue;
      // While the store is away a check waits for it; one of them is enough.
      if (this.checking.has(name)) continue;
      this.checking.add(name);
      this.declare(schedule)
        .catch((error: unknown) => this.outages.report(error))
        .finally(() => this.checking.delete(name));
    }
  }

  private async declare({ queue, everyMs }: Schedule): Promise<void> {
    const known = await queue.getJobScheduler(queue.name);
    const overdueMs = this.clock.now().getTime() - (known?.next ?? 0);
    if (known?.every === everyMs && overdueMs < Math.max(10_000, 3 * everyMs)) return;
    await runEvery(queue, everyMs);
  }
}

import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { AnomalyScan } from '../index.js';

const EVERY_MS = 60_000;

@Processor(queues.anomalyScan.name, workerOptions)
export class AnomalyScanProcessor extends WorkerHost {
  constructor(
    @Inject(AnomalyScan) private readonly scan: AnomalyScan,
    @Inject(ScheduleKeeper) schedules: ScheduleKeeper,
    @InjectQueue(queues.anomalyScan.name) queue: Queue,
  ) {
    super();
    schedules.every(queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.scan.run();
  }
}

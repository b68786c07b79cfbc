import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { type OnApplicationBootstrap } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { queues, ScheduleKeeper, workerOptions } from '@haldir/queue';
import { ApprovalOutcomes } from '../approval-outcomes.js';

const EVERY_MS = 3000;

/** Notes approval requests whose time is up; until it does they are expired all the same. */
@Processor(queues.approvalExpiry.name, { ...workerOptions })
export class ApprovalExpiryProcessor extends WorkerHost implements OnApplicationBootstrap {
  constructor(
    private readonly outcomes: ApprovalOutcomes,
    @InjectQueue(queues.approvalExpiry.name) private readonly queue: Queue,
    private readonly schedules: ScheduleKeeper,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.schedules.every(this.queue, EVERY_MS);
  }

  override async process(): Promise<void> {
    await this.outcomes.expireDue();
  }
}

import { Processor, WorkerHost } from '@nestjs/bullmq';
import { type OnApplicationBootstrap } from '@nestjs/common';
import { type Job } from 'bullmq';
import { type JobPayload, queues, workerOptions } from '@haldir/queue';
import { DeliveryEngine } from './delivery-engine.js';

/** Endpoints at once; each mostly waits, and how much is sent at once is the engine's to say. */
const CONCURRENCY = 500;

@Processor(queues.webhookDelivery.name, workerOptions)
export class WebhookDeliveryProcessor extends WorkerHost implements OnApplicationBootstrap {
  constructor(private readonly engine: DeliveryEngine) {
    super();
  }

  onApplicationBootstrap(): void {
    this.worker.concurrency = CONCURRENCY;
  }

  override async process(job: Job<JobPayload<typeof queues.webhookDelivery>>): Promise<void> {
    await this.engine.drain(queues.webhookDelivery.payload.parse(job.data));
  }
}

import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { type JobPayload, queues } from '@haldir/queue';
import { type EndpointKey } from './delivery.repository.js';

type Payload = JobPayload<typeof queues.webhookDelivery>;

/**
 * Wakes a worker for endpoints that have something due. Never waits and never fails: an endpoint has at most one job
 * waiting and one running, and the sweep wakes it again should this be lost.
 */
@Injectable()
export class EndpointWaker {
  private readonly wanted = new Map<number, EndpointKey>();
  private sending = false;

  constructor(@InjectQueue(queues.webhookDelivery.name) private readonly queue: Queue<Payload>) {}

  wake(endpoints: readonly EndpointKey[]): void {
    for (const endpoint of endpoints) this.wanted.set(endpoint.webhookId, endpoint);
    if (!this.sending && this.wanted.size > 0) void this.send();
  }

  private async send(): Promise<void> {
    this.sending = true;
    try {
      while (this.wanted.size > 0) {
        const endpoints = [...this.wanted.values()];
        this.wanted.clear();
        await this.queue.addBulk(
          endpoints.map(({ tenantId, webhookId }) => ({
            name: queues.webhookDelivery.name,
            data: { tenantId, webhookId },
            opts: {
              deduplication: { id: `webhook-${webhookId}`, keepLastIfActive: true },
              removeOnComplete: true,
              removeOnFail: true,
            },
          })),
        );
      }
    } catch {
      // The queue reports its own errors; the sweep wakes what is due.
    } finally {
      this.sending = false;
    }
  }
}

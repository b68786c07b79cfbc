import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { Clock, stringifyJson } from '@haldir/kernel';
import { EventListeners, type PublishedEvent } from '@haldir/events';
import { Nudge, queues } from '@haldir/queue';
import { Metrics } from '@haldir/runtime';
import { type Queue } from 'bullmq';
import { pushMessageOf } from '../push-message.js';
import { PushMessageRepository } from '../push-message.repository.js';
import { MessageFanOut } from './message-fan-out.js';

/** Makes messages to the browsers of people who have any. */
@Injectable()
export class PushFanOut extends MessageFanOut {
  protected override readonly isThere = true;

  constructor(
    pushes: PushMessageRepository,
    private readonly metrics: Metrics,
    clock: Clock,
    @InjectQueue(queues.pushDelivery.name) queue: Queue,
    listeners: EventListeners,
  ) {
    super(pushes, new Nudge(queue), clock);
    listeners.add(this);
  }

  protected override noticeOf(event: PublishedEvent): string {
    return stringifyJson(pushMessageOf(event));
  }

  protected override countDropped(count: number): void {
    this.metrics.countPushes('dropped', count);
  }
}

import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { SealBroken, TenantKeyGone } from '@haldir/crypto';
import { Transactions } from '@haldir/database';
import { HaldirConfig, Log, Metrics } from '@haldir/runtime';
import { type PushFailure, PushNotTaken } from '../push.errors.js';
import { type PushMessage } from '../push-message.js';
import { PushMessageRepository } from '../push-message.repository.js';
import { PushSeal } from '../push-seal.js';
import { type PushSubscription } from '../push-subscription.entity.js';
import { PushSubscriptionRepository } from '../push-subscription.repository.js';
import { type OutgoingPush, PUSH_DEADLINE_MS, PushTransport } from '../push-transport.js';
import { type Addressed, MessageSender } from './message-sender.js';

/** Tells browsers. A person is told once one of theirs was; those that are there no more are forgotten. */
@Injectable()
export class PushSender extends MessageSender {
  protected override readonly isThere = true;

  constructor(
    pushes: PushMessageRepository,
    private readonly subscriptions: PushSubscriptionRepository,
    private readonly seal: PushSeal,
    private readonly transport: PushTransport,
    private readonly transactions: Transactions,
    private readonly metrics: Metrics,
    config: HaldirConfig,
    private readonly time: Clock,
    private readonly logger: Log,
  ) {
    super(pushes, { name: 'push', deadlineMs: PUSH_DEADLINE_MS }, config, time, logger);
    metrics.gauge('haldir_pushes_due', 'Messages to browsers that are due or under way', [], async () => [
      [{}, await pushes.countDue(time.now())],
    ]);
  }

  protected override async deliver({ tenantId, personId, eventId, kind, notice }: Addressed): Promise<void> {
    const { title, path, tag } = JSON.parse(notice) as PushMessage;
    const text = JSON.stringify({ title, path, tag });
    const push = { text, topic: eventId, urgent: kind === 'approval_requested' };
    const tried = await Promise.all(
      (await this.subscriptions.of(tenantId, personId)).map(async (subscription) => ({
        id: subscription.id,
        failure: await this.tell(subscription, push),
      })),
    );
    const idsOf = (wanted: string | null): string[] =>
      tried.filter(({ failure }) => failure === wanted).map(({ id }) => id);
    const [told, gone] = [idsOf(null), idsOf('gone')];
    if (told.length + gone.length > 0) {
      await this.transactions.run(tenantId, async (tx) => {
        const subscriptions = this.subscriptions.in(tx);
        if (told.length > 0) await subscriptions.markTold(tenantId, told, this.time.now());
        if (gone.length > 0) await subscriptions.removeGone(tenantId, gone);
      });
    }
    if (told.length > 0) return;
    const failures = tried.map(({ failure }) => failure);
    throw new PushNotTaken(
      failures.includes('deferred') ? 'deferred' : failures.includes('refused') ? 'refused' : 'gone',
    );
  }

  private async tell(subscription: PushSubscription, push: OutgoingPush): Promise<PushFailure | null> {
    try {
      return await this.transport.send(await this.seal.open(subscription), push);
    } catch (error) {
      // It was sealed anew since it was read; it is read again.
      if (error instanceof TenantKeyGone) return 'deferred';
      if (!(error instanceof SealBroken)) throw error;
      const { tenantId: tenant, id } = subscription;
      this.logger.error({ event: 'push.subscription_does_not_open', tenant, subscription: id });
      return 'refused';
    }
  }

  protected override count(outcome: 'sent' | 'deferred' | 'failed'): void {
    this.metrics.countPushes(outcome);
  }
}

import { Body, Controller, Delete, Get, HttpStatus, Param, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { CurrentActor, ForPersons, Returns } from '@haldir/http';
import { PushSubscriptionsService } from '../push-subscriptions.service.js';
import { VapidKey } from '../vapid-key.js';
import {
  OwnPushView,
  PushSubscriptionDetail,
  PushUnsubscribed,
  SubscribeToPush,
  toNewPushSubscription,
  toPushSubscriptionDetail,
} from './own-push.dto.js';

/** The browsers in which whoever is signed in is told. Described in docs/notifications.md, as all that is a person's own. */
@ApiExcludeController()
@Controller('v1/me/push')
export class OwnPushController {
  constructor(
    private readonly subscriptions: PushSubscriptionsService,
    private readonly key: VapidKey,
  ) {}

  @Get()
  @ForPersons()
  @Returns(HttpStatus.OK, OwnPushView, 'The browsers in which the person is told')
  async get(@CurrentActor() actor: Actor): Promise<OwnPushView> {
    const subscriptions = await this.subscriptions.of(actor);
    return { public_key: this.key.pair.publicKey, subscriptions: subscriptions.map(toPushSubscriptionDetail) };
  }

  @Post()
  @ForPersons()
  @Returns(HttpStatus.CREATED, PushSubscriptionDetail, 'The person is told in this browser')
  async subscribe(
    @CurrentActor() actor: Actor,
    @Body({ schema: SubscribeToPush }) body: SubscribeToPush,
  ): Promise<PushSubscriptionDetail> {
    return toPushSubscriptionDetail(await this.subscriptions.add(actor, toNewPushSubscription(body)));
  }

  @Delete(':subscription_id')
  @ForPersons()
  @Returns(HttpStatus.OK, PushUnsubscribed, 'The person is not told in this browser any more')
  async unsubscribe(
    @CurrentActor() actor: Actor,
    @Param('subscription_id') subscriptionId: string,
  ): Promise<PushUnsubscribed> {
    await this.subscriptions.remove(actor, subscriptionId);
    return { removed: true, subscription_id: subscriptionId };
  }
}

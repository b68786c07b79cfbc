import { HaldirError } from '@haldir/kernel';
import { MessageNotTaken } from './message.errors.js';

export type PushFailure = 'gone' | 'refused' | 'deferred';

/** No browser of a person could be told. Says nothing of what their push services said. */
export class PushNotTaken extends MessageNotTaken {
  readonly isOfServer = false;

  constructor(readonly reason: PushFailure) {
    super(`No browser was told: ${reason}`);
  }

  get isFinal(): boolean {
    return this.reason !== 'deferred';
  }
}

export class PushSubscriptionNotFound extends HaldirError {
  constructor() {
    super('not_found', 'No such browser of yours is told');
  }
}

export class TooManyPushSubscriptions extends HaldirError {
  constructor(max: number) {
    super('invalid', `A person has at most ${max} browsers that are told; remove one first`, {
      code: 'too_many_push_subscriptions',
    });
  }
}

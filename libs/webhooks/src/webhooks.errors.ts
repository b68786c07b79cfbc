import { HaldirError } from '@haldir/kernel';

export class WebhookNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Webhook not found');
  }
}

export class DeliveryNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Delivery not found');
  }
}

/** The endpoint was switched off, so nothing is sent to it. */
export class WebhookDisabled extends HaldirError {
  constructor() {
    super('conflict', 'Webhook is disabled; PATCH it with {"active": true} first', { code: 'webhook_disabled' });
  }
}

export class TooManyWebhooks extends HaldirError {
  constructor(max: number) {
    super('invalid', `A tenant has at most ${max} webhooks`, { code: 'too_many_webhooks' });
  }
}

/** The secret was altered or moved behind Haldir's back, so nothing can be signed with it. */
export class WebhookSecretBroken extends HaldirError {
  constructor() {
    super('conflict', 'The secret of the webhook does not open; delete it and register it again', {
      code: 'secret_broken',
    });
  }
}

/** Two rotations of one secret raced, and the other one won. */
export class RotatedMeanwhile extends HaldirError {
  constructor() {
    super('conflict', 'The secret of the webhook was rotated meanwhile', { code: 'rotated_meanwhile' });
  }
}

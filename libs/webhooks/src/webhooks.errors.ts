import { HaldirError } from '@haldir/kernel';

export class WebhookNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Webhook not found');
  }
}

export class DeliveryNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Delivery not found');
  }
}

/** The endpoint was switched off, so nothing is sent to it. */
export class WebhookDisabled extends HaldirError {
  readonly kind = 'conflict';
  constructor() {
    super('Webhook is disabled; PATCH it with {"active": true} first');
  }
  override get code(): string {
    return 'webhook_disabled';
  }
}

export class TooManyWebhooks extends HaldirError {
  readonly kind = 'invalid';
  constructor(max: number) {
    super(`A tenant has at most ${max} webhooks`);
  }
  override get code(): string {
    return 'too_many_webhooks';
  }
}

/** The secret was altered or moved behind Haldir's back, so nothing can be signed with it. */
export class WebhookSecretBroken extends HaldirError {
  readonly kind = 'conflict';
  constructor() {
    super('The secret of the webhook does not open; delete it and register it again');
  }
  override get code(): string {
    return 'secret_broken';
  }
}

/** Two rotations of one secret raced, and the other one won. */
export class RotatedMeanwhile extends HaldirError {
  readonly kind = 'conflict';
  constructor() {
    super('The secret of the webhook was rotated meanwhile');
  }
  override get code(): string {
    return 'rotated_meanwhile';
  }
}

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
    super('Webhook is disabled; register it again');
  }
  override get code(): string {
    return 'webhook_disabled';
  }
}

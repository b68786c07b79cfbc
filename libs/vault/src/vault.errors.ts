import { HaldirError } from '@haldir/kernel';

/** The tenant has no such secret, or one whose sealed value does not open where it stands. */
export class SecretNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Secret not found');
  }
}

/** The session is live, and does not hold the scope that the secret asks for. */
export class SecretScopeMissing extends HaldirError {
  readonly kind = 'forbidden';
  constructor(private readonly required: string) {
    super('The session lacks the scope that the secret requires');
  }
  override get code(): string {
    return 'missing_scope';
  }
  override get details(): Readonly<Record<string, unknown>> {
    return { required: this.required };
  }
}

export class PaymentNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Payment not found');
  }
}

/** The payment is no open hold: it was paid at once, or is captured, voided or expired already. */
export class HoldNotOpen extends HaldirError {
  readonly kind = 'conflict';
  constructor(state: string) {
    super(`The payment is ${state}, not held`);
  }
  override get code(): string {
    return 'hold_not_open';
  }
}

/** What is held in a session that was revoked can only be voided. */
export class SessionRevoked extends HaldirError {
  readonly kind = 'conflict';
  constructor() {
    super('The session was revoked, so what it held can only be voided');
  }
  override get code(): string {
    return 'session_revoked';
  }
}

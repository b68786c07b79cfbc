import { HaldirError, toUnixSeconds } from '@haldir/kernel';

/** The tenant has no such secret, or one whose sealed value does not open where it stands. */
export class SecretNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Secret not found');
  }
}

/** The tenant has no such secret, the secret no such version, or its sealed value does not open where it stands. */
export class SecretVersionNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Secret not found, or it has no such version');
  }
  override get code(): string {
    return 'version_not_found';
  }
}

/** The value was stored with a time after which nobody is given it. */
export class SecretExpired extends HaldirError {
  readonly kind = 'not_found';
  constructor(private readonly expiredAt: Date) {
    super('The secret has expired; store it again');
  }
  override get code(): string {
    return 'secret_expired';
  }
  override get details(): Readonly<Record<string, unknown>> {
    return { expired_at: toUnixSeconds(this.expiredAt) };
  }
}

/** The tenant deleted no such secret, or so long ago that it is gone. */
export class DeletedSecretNotFound extends HaldirError {
  readonly kind = 'not_found';
  constructor() {
    super('Deleted secret not found');
  }
}

/** Another secret has taken the name of the one that is to be brought back. */
export class SecretNameTaken extends HaldirError {
  readonly kind = 'conflict';
  constructor() {
    super('Another secret has this name by now; delete it first');
  }
  override get code(): string {
    return 'name_taken';
  }
}

/** The session is live, and does not hold the scope that the secret asks for. */
/** The tenant's own read is an operator's. */
export class SessionRequired extends HaldirError {
  readonly kind = 'forbidden';
  constructor() {
    super('An agent key reads secrets in a session, whose scopes decide: send its id as X-Session-ID');
  }
  override get code(): string {
    return 'session_required';
  }
}

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

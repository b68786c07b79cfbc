import { HaldirError, toUnixSeconds } from '@haldir/kernel';

/** The tenant has no such secret, or one whose sealed value does not open where it stands. */
export class SecretNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Secret not found');
  }
}

/** The tenant has no such secret, the secret no such version, or its sealed value does not open where it stands. */
export class SecretVersionNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Secret not found, or it has no such version', { code: 'version_not_found' });
  }
}

/** The value was stored with a time after which nobody is given it. */
export class SecretExpired extends HaldirError {
  constructor(expiredAt: Date) {
    super('not_found', 'The secret has expired; store it again', {
      code: 'secret_expired',
      details: { expired_at: toUnixSeconds(expiredAt) },
    });
  }
}

/** The tenant deleted no such secret, or so long ago that it is gone. */
export class DeletedSecretNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Deleted secret not found');
  }
}

/** Another secret has taken the name of the one that is to be brought back. */
export class SecretNameTaken extends HaldirError {
  constructor() {
    super('conflict', 'Another secret has this name by now; delete it first', { code: 'name_taken' });
  }
}

/** The tenant's own read is an operator's. */
export class SessionRequired extends HaldirError {
  constructor() {
    super('forbidden', 'An agent key reads secrets in a session, whose scopes decide: send its id as X-Session-ID', {
      code: 'session_required',
    });
  }
}

/** The session is live, and does not hold the scope that the secret asks for. */
export class SecretScopeMissing extends HaldirError {
  constructor(required: string) {
    super('forbidden', 'The session lacks the scope that the secret requires', {
      code: 'missing_scope',
      details: { required },
    });
  }
}

export class PaymentNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Payment not found');
  }
}

/** The payment is no open hold: it was paid at once, or is captured, voided or expired already. */
export class HoldNotOpen extends HaldirError {
  constructor(state: string) {
    super('conflict', `The payment is ${state}, not held`, { code: 'hold_not_open' });
  }
}

/** What is held in a session that was revoked can only be voided. */
export class SessionRevoked extends HaldirError {
  constructor() {
    super('conflict', 'The session was revoked, so what it held can only be voided', { code: 'session_revoked' });
  }
}

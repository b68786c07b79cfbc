import { HaldirError } from '@haldir/kernel';
import { Unauthenticated } from '@haldir/http';

/** No issuer is set. */
export class OidcNotSetUp extends HaldirError {
  constructor() {
    super('not_found', 'People sign in by no issuer here: whoever runs Haldir can set HALDIR_OIDC_ISSUER');
  }
}

/**
 * What came back is of another browser, over, used, or not what the issuer was asked for, or the issuer was not; which of them nobody
 * is told.
 */
export class OidcNotGood extends Unauthenticated {
  constructor() {
    super('This sign-in was begun in another browser, is over, or is not what was asked for. Sign in again');
  }
}

/** The issuer says that it signs nobody in: whoever was there declined, or may not. */
export class OidcDeclined extends Unauthenticated {
  constructor() {
    super(
      'You were not signed in where you were sent to: you declined, or may not use Haldir there. You can try again',
    );
  }
}

/** The issuer is away, or does not answer as one. */
export class OidcAway extends HaldirError {
  constructor() {
    super('unavailable', 'Where you sign in cannot be reached, or does not answer as it should. Try again shortly', {
      code: 'issuer_away',
      retryAfterSeconds: 5,
    });
  }
}

/** Nobody has invited them, no claim of theirs gives a role, or they were removed; which of them nobody is told. */
export class OidcNotInvited extends HaldirError {
  constructor() {
    super(
      'forbidden',
      'You have no access to this Haldir. An owner can invite the e-mail address that you signed in with',
      {
        code: 'not_invited',
      },
    );
  }
}

/** An address that nobody has checked says nothing of who somebody is. */
export class EmailNotVerified extends HaldirError {
  constructor() {
    super(
      'forbidden',
      'Where you signed in does not say that your e-mail address is verified. Verify it there, and sign in again',
      {
        code: 'email_not_verified',
      },
    );
  }
}

/** The address had, or has, somebody else at the issuer, who is a person here. */
export class EmailOfAnother extends HaldirError {
  constructor() {
    super(
      'forbidden',
      'Your e-mail address belongs to another account of where you signed in. An owner can remove that person, and invite you',
      { code: 'email_of_another' },
    );
  }
}

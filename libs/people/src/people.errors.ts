import { HaldirError } from '@haldir/kernel';
import { Unauthenticated } from '@haldir/http';

export class PersonNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Person not found');
  }
}

export class SignInNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Sign-in not found');
  }
}

/** The link is unknown, used, replaced or over; which of them nobody is told. */
export class LinkNotGood extends Unauthenticated {
  constructor() {
    super('This link is not good, or not any more: it works once, for 24 hours. Ask for a new one');
  }
}

/** The passkey is unknown, or of somebody who was removed, or what it signed is not what was asked; which of them nobody is told. */
export class PasskeyNotGood extends Unauthenticated {
  constructor() {
    super(
      'Nobody is signed in by this passkey: it is not known here, or what it signed is over or was used. Try again',
    );
  }
}

export class PasskeyNotFound extends HaldirError {
  constructor() {
    super('not_found', 'Passkey not found');
  }
}

/** Something is to be signed. */
export class NoPasskey extends HaldirError {
  constructor() {
    super('conflict', 'You have no passkey to sign with; make one first, on the page /welcome', { code: 'no_passkey' });
  }
}

export class PasskeyExists extends HaldirError {
  constructor() {
    super('conflict', 'This passkey is there already', { code: 'passkey_exists' });
  }
}

export class TooManyPasskeys extends HaldirError {
  constructor(max: number) {
    super('conflict', `A person has at most ${max} passkeys; remove one first`, { code: 'too_many_passkeys' });
  }
}

/** Passkeys are made for a name. */
export class PasskeysNeedName extends HaldirError {
  constructor() {
    super(
      'forbidden',
      'HALDIR_PUBLIC_URL: expected an address with a host name, as there are no passkeys for an IP address',
      {
        code: 'passkeys_need_name',
      },
    );
  }
}

/** The address of Haldir was changed, or is being changed, and nobody has said which site is meant. */
export class PasskeysOfAnotherSite extends HaldirError {
  constructor() {
    super(
      'conflict',
      'People have passkeys for another site, so none is made for this one: whoever runs Haldir can correct HALDIR_PUBLIC_URL, or name the site in HALDIR_RP_ID',
      { code: 'passkeys_of_another_site' },
    );
  }
}

/** Somebody would have to give away more than they have. */
export class RoleBeyondGrant extends HaldirError {
  constructor() {
    super('forbidden', 'A role can only be given or taken by who has all of its scopes', { code: 'scope_not_held' });
  }
}

/** A tenant that people have signed in to keeps somebody who can invite others. */
export class LastOwner extends HaldirError {
  constructor() {
    super('conflict', 'This is the last owner; make somebody else an owner first', { code: 'last_owner' });
  }
}

/** Their row is not what Haldir made it: somebody has edited the database. Removing and inviting them anew is the way back. */
export class PersonAltered extends HaldirError {
  constructor() {
    super('conflict', 'What is kept of this person was altered in the database; remove them, and look at the log', {
      code: 'person_altered',
    });
  }
}

export class RoleDiffers extends HaldirError {
  constructor() {
    super('conflict', 'This person has another role; change the role instead', { code: 'role_differs' });
  }
}

export class TooManyPeople extends HaldirError {
  constructor(max: number) {
    super('invalid', `A tenant has at most ${max} people`, { code: 'too_many_people' });
  }
}

/** Nobody signs in over plain http from elsewhere: the cookie would not be safe, and browsers refuse it. */
export class InsecureAddress extends HaldirError {
  constructor() {
    super('forbidden', 'HALDIR_PUBLIC_URL: expected an https address, or this machine, where people are to sign in', {
      code: 'insecure_address',
    });
  }
}

import { Invitation } from './invitation.entity.js';
import { Membership } from './membership.entity.js';
import { OidcIdentity } from './oidc-identity.entity.js';
import { Passkey } from './passkey.entity.js';
import { Person } from './person.entity.js';
import { SignIn } from './sign-in.entity.js';
import { TakenChallenge } from './taken-challenge.entity.js';

export const PEOPLE_ENTITIES = [Invitation, Membership, OidcIdentity, Passkey, Person, SignIn, TakenChallenge];

import { type Grant } from '@haldir/crypto';
import { type Tier } from '@haldir/runtime';
import { type Invitation } from './invitation.entity.js';
import { type Membership } from './membership.entity.js';
import { type OidcIdentity } from './oidc-identity.entity.js';
import { type Passkey } from './passkey.entity.js';
import { type SignIn } from './sign-in.entity.js';

export const MEMBERSHIP_GRANT = 'membership.v1';
export const SIGN_IN_GRANT = 'sign_in.v1';
export const PASSKEY_GRANT = 'passkey.v1';
export const INVITATION_GRANT = 'invitation.v1';
export const OIDC_IDENTITY_GRANT = 'oidc_identity.v1';

/** What of its tenant counts beside a membership. */
export interface TenantFacts {
  tier: Tier;
  isOperator: boolean;
}

/** With the e-mail, which the log shows of whoever acts. When they came and went moves, and is not among it. */
export function membershipGrant(
  { tenantId, personId, role }: Pick<Membership, 'tenantId' | 'personId' | 'role'>,
  email: string,
  { tier, isOperator }: TenantFacts,
): Grant {
  return [tenantId, personId, role, email, tier, isOperator];
}

export function signInGrant(signIn: Omit<SignIn, 'usedAt' | 'mac'>): Grant {
  const { tenantId, id, personId, hash, pageHash, method, createdAt, expiresAt } = signIn;
  return [
    ...[tenantId, id, personId, hash.toString('base64'), pageHash.toString('base64')],
    ...[method, createdAt.getTime(), expiresAt.getTime()],
  ];
}

/** What it counted and when it was used moves; what it is called grants nothing. */
export function passkeyGrant(passkey: Omit<Passkey, 'name' | 'counter' | 'usedAt' | 'mac'>): Grant {
  const { tenantId, id, personId, credentialId, publicKey, algorithm, rpId, createdAt } = passkey;
  return [
    ...[tenantId, id, personId, credentialId.toString('base64'), publicKey.toString('base64')],
    ...[algorithm, rpId, createdAt.getTime()],
  ];
}

export function invitationGrant({ tenantId, id, personId, hash, expiresAt }: Omit<Invitation, 'mac'>): Grant {
  return [tenantId, id, personId, hash.toString('base64'), expiresAt.getTime()];
}

export function oidcIdentityGrant(identity: Omit<OidcIdentity, 'mac'>): Grant {
  const { tenantId, issuer, subject, personId, claimedRole, createdAt } = identity;
  return [tenantId, issuer, subject, personId, claimedRole, createdAt.getTime()];
}

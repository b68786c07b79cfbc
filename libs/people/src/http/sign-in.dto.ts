import { toUnixSeconds } from '@haldir/kernel';
import { nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type Member } from '../people.repository.js';
import { scopesOf } from '../roles.js';
import { SIGN_IN_METHODS, type SignIn } from '../sign-in.entity.js';
import { type NewSignIn } from '../sign-in.service.js';
import { email, PersonDetail, personName, toPersonDetail } from './people.dto.js';

const TOKEN_EXPECTED = 'expected what stands behind the # of a link';

export const SignInByLink = z.object({
  token: z.string(TOKEN_EXPECTED).min(1, TOKEN_EXPECTED).max(256, TOKEN_EXPECTED).describe('What stands behind the #'),
  email: email.optional().describe('Who signs in, where the link does not know: that of the first owner of all'),
  name: personName.default(''),
});
export type SignInByLink = z.infer<typeof SignInByLink>;

export const SignInDetail = z
  .object({
    sign_in_id: z.string(),
    method: z.enum(SIGN_IN_METHODS),
    current: z.boolean().describe('Whether it is the one that asks'),
    created_at: z.number().describe('Unix timestamp'),
    used_at: z.number().describe('When it was used last, to the minute: Unix timestamp'),
    expires_at: z.number().describe('When it ends, if it is not idle for 12 hours before: Unix timestamp'),
  })
  .meta({ id: 'SignInDetail' });
type SignInDetail = z.infer<typeof SignInDetail>;

export function toSignInDetail(signIn: SignIn, currentId: string): SignInDetail {
  const { id, method, createdAt, usedAt, expiresAt } = signIn;
  return {
    sign_in_id: id,
    method,
    current: id === currentId,
    created_at: toUnixSeconds(createdAt),
    used_at: toUnixSeconds(usedAt),
    expires_at: toUnixSeconds(expiresAt),
  };
}

export const WhoAmI = z
  .object({
    person: PersonDetail,
    scopes: z.array(z.string()).describe('What the role may do'),
    sign_in: SignInDetail,
  })
  .meta({ id: 'WhoAmI' });
export type WhoAmI = z.infer<typeof WhoAmI>;

export function toWhoAmI(member: Member, signIn: SignIn): WhoAmI {
  return {
    person: toPersonDetail(member),
    scopes: [...scopesOf(member.membership.role)],
    sign_in: toSignInDetail(signIn, signIn.id),
  };
}

export const SignedIn = WhoAmI.extend({
  page_token: z
    .string()
    .describe(
      'To be sent as X-Haldir-Page with each request, beside the cookie; without it the cookie is worth nothing',
    ),
}).meta({ id: 'SignedIn' });
export type SignedIn = z.infer<typeof SignedIn>;

export function toSignedIn({ member, signIn, pageToken }: NewSignIn): SignedIn {
  return { ...toWhoAmI(member, signIn), page_token: pageToken };
}

export const ListSignIns = z.object(pageQuery);
export type ListSignIns = z.infer<typeof ListSignIns>;
export const SignInList = z.object({ sign_ins: z.array(SignInDetail), count: z.int(), next_cursor: nextCursor });
export type SignInList = z.infer<typeof SignInList>;

export const SignInEnded = z.object({ ended: z.literal(true), sign_in_id: z.string() });
export type SignInEnded = z.infer<typeof SignInEnded>;

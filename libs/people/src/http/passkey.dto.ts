import { toUnixSeconds } from '@haldir/kernel';
import { nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type Passkey } from '../passkey.entity.js';

const TYPE_EXPECTED = 'expected public-key';
const NAME_EXPECTED = 'expected a text of at most 64 characters';

/** Bytes, as the JSON of WebAuthn has them. */
function base64url(maxChars: number) {
  const expected = `expected base64url of at most ${maxChars} characters`;
  return z
    .string(expected)
    .min(1, expected)
    .max(maxChars, expected)
    .regex(/^[A-Za-z0-9_-]+$/, expected);
}

/** Credentials have ids of at most 1,023 bytes. */
const credential = { id: base64url(1364), type: z.literal('public-key', TYPE_EXPECTED) };
const clientDataJSON = base64url(8192);

/** The `toJSON` of what `navigator.credentials.create` answers; what else stands there is not needed. */
export const EnrolPasskey = z.object({
  credential: z.looseObject(
    {
      ...credential,
      response: z.looseObject(
        { clientDataJSON, attestationObject: base64url(65_536) },
        'expected an object with clientDataJSON and attestationObject',
      ),
    },
    'expected what navigator.credentials.create answers, as JSON',
  ),
  name: z
    .string(NAME_EXPECTED)
    .max(64, NAME_EXPECTED)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, NAME_EXPECTED)
    .default(''),
});
export type EnrolPasskey = z.infer<typeof EnrolPasskey>;

const signed = { clientDataJSON, authenticatorData: base64url(8192), signature: base64url(4096) };
const ANSWER_EXPECTED = 'expected what navigator.credentials.get answers, as JSON';

/** The same of `navigator.credentials.get`. A user handle says whose it is: passkeys have one. */
export const SignInByPasskey = z.object({
  credential: z.looseObject(
    {
      ...credential,
      response: z.looseObject(
        { ...signed, userHandle: base64url(86) },
        'expected an object with clientDataJSON, authenticatorData, signature and userHandle',
      ),
    },
    ANSWER_EXPECTED,
  ),
});
export type SignInByPasskey = z.infer<typeof SignInByPasskey>;

/** What browsers add, and nobody needs. */
const unread = z.unknown().optional().describe('Not read');
/** The same by a passkey of somebody who is known, with all the names that browsers give, so that a misspelt one is found. */
export const PasskeyAssertion = z.object(
  {
    ...credential,
    rawId: unread,
    authenticatorAttachment: unread,
    clientExtensionResults: unread,
    response: z.object(
      { ...signed, userHandle: unread },
      'expected an object with clientDataJSON, authenticatorData and signature',
    ),
  },
  ANSWER_EXPECTED,
);
export type PasskeyAssertion = z.infer<typeof PasskeyAssertion>;

/** As `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` take it. */
export const PasskeyOptions = z.looseObject({ challenge: z.string() });
export type PasskeyOptions = z.infer<typeof PasskeyOptions>;

export const PasskeyDetail = z.object({
  passkey_id: z.string(),
  name: z.string(),
  credential_id: z.string().describe('base64url'),
  rp_id: z.string().describe('The site that it works at'),
  created_at: z.number().describe('Unix timestamp'),
  used_at: z.number().nullable().describe('When it signed in last: Unix timestamp'),
});
export type PasskeyDetail = z.infer<typeof PasskeyDetail>;

export function toPasskeyDetail({ id, name, credentialId, rpId, createdAt, usedAt }: Passkey): PasskeyDetail {
  return {
    passkey_id: id,
    name,
    credential_id: credentialId.toString('base64url'),
    rp_id: rpId,
    created_at: toUnixSeconds(createdAt),
    used_at: usedAt && toUnixSeconds(usedAt),
  };
}

export const ListPasskeys = z.object(pageQuery);
export type ListPasskeys = z.infer<typeof ListPasskeys>;
export const PasskeyList = z.object({ passkeys: z.array(PasskeyDetail), count: z.int(), next_cursor: nextCursor });
export type PasskeyList = z.infer<typeof PasskeyList>;

export const PasskeyRemoved = z.object({ removed: z.literal(true), passkey_id: z.string() });
export type PasskeyRemoved = z.infer<typeof PasskeyRemoved>;

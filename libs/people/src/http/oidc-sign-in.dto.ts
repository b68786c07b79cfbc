import { z } from 'zod';
import { type OidcAnswer } from '../oidc-issuer.js';
import { SignedIn } from './sign-in.dto.js';

const SECRET_EXPECTED = 'expected 43 characters of base64url';
const PATH_EXPECTED = "expected the path of a page of Haldir's own, such as /welcome";

const secret = z.string(SECRET_EXPECTED).regex(/^[A-Za-z0-9_-]{43}$/, SECRET_EXPECTED);

export const BeginOidc = z.object({
  page: secret,
  return_to: z
    .string(PATH_EXPECTED)
    .max(512, PATH_EXPECTED)
    // Of this origin, however it is read: nothing that could begin another, and no dots to walk by. What programs ask for is no page.
    .regex(/^(?:\/|(?:\/[A-Za-z0-9_-]+)+)(?:\?[A-Za-z0-9_.~=&%-]*)?$/, PATH_EXPECTED)
    .refine((path) => !/^\/v1(?:[/?]|$)/.test(path), PATH_EXPECTED)
    .default('/welcome'),
});
export type BeginOidc = z.infer<typeof BeginOidc>;

/** As RFC 6749 has what a redirect of an issuer says (appendix A); the longest codes that issuers give have some 2,000 characters. */
function answered(maxChars: number) {
  const expected = `expected at most ${maxChars} characters of ASCII`;
  return z
    .string(expected)
    .max(maxChars, expected)
    .regex(/^[\x20-\x7e]+$/, expected);
}

const ANSWER = {
  state: secret,
  code: answered(4096).optional(),
  iss: answered(512).optional(),
  error: answered(256).optional(),
};

export const FinishOidc = z.object({ ...ANSWER, page_secret: secret });
export type FinishOidc = z.infer<typeof FinishOidc>;

export function toOidcAnswer({ state, code, iss, error }: FinishOidc): OidcAnswer {
  return { state, code, iss, error };
}

export const SignedInByOidc = SignedIn.extend({ return_to: z.string() }).meta({ id: 'SignedInByOidc' });
export type SignedInByOidc = z.infer<typeof SignedInByOidc>;

/** What an issuer's redirect says, for the page, behind the # of an address: in no log, and nothing that is not asked for or no text. */
export function toFragment(query: Readonly<Record<string, unknown>>): string {
  const said = new URLSearchParams();
  for (const [name, schema] of Object.entries(ANSWER)) {
    const { data } = schema.safeParse(query[name]);
    if (data !== undefined) said.set(name, data);
  }
  return `oidc&${said.toString()}`;
}

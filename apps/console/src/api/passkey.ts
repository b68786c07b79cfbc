import { BASE } from '../base.ts';
import { askPage, keepPageToken } from './client.ts';
import { type Me } from './me.ts';
import { Problem } from './problem.ts';

type Ask = (method: 'POST', path: string, body: object) => Promise<{ status: number; body: object }>;

/** What the script of the pages of sign-in puts there, `libs/people/src/http/page/passkey.js`. */
interface Passkeys {
  isThere: boolean;
  /** Words where the browser refused. */
  signIn: (ask: Ask) => Promise<{ status: number; body: object } | string>;
}

async function passkeys(): Promise<Passkeys> {
  await import(/* @vite-ignore */ `${BASE}/welcome/assets/passkey.js`);
  return (window as unknown as { haldirPasskeys: Passkeys }).haldirPasskeys;
}

/** Whether this browser has passkeys at all. */
export const HAS_PASSKEYS = typeof PublicKeyCredential === 'function';

/**
 * Has the browser ask for a passkey, and signs in by it.
 *
 * @throws Problem in words for whoever is signing in
 */
export async function signInByPasskey(): Promise<Me> {
  const { signIn } = await passkeys();
  let problem: Problem | null = null;
  const answer = await signIn(async (method, path, body) => {
    try {
      return { status: 200, body: await askPage<object>(method, path, body) };
    } catch (error) {
      problem = error instanceof Problem ? error : new Problem(String(error), 0);
      return { status: problem.status, body: {} };
    }
  });
  if (problem !== null) throw problem as Problem;
  if (typeof answer === 'string') throw new Problem(answer, 0, 'browser');
  const { page_token: token, ...me } = answer.body as Me & { page_token: string };
  keepPageToken(token);
  return me;
}

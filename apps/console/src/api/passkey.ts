import { BASE } from '../base.ts';
import { askPage, keepPageToken } from './client.ts';
import { type Me } from './me.ts';
import { Problem } from './problem.ts';

interface PageAnswer {
  status: number;
  body: object;
}
type Ask = (method: 'POST', path: string, body: object) => Promise<PageAnswer>;

/** What the script of the pages of sign-in puts there, `libs/people/src/http/page/passkey.js`. */
interface Passkeys {
  isThere: boolean;
  /** Words where the browser refused. */
  signIn: (ask: Ask) => Promise<PageAnswer | string>;
  enrol: (ask: Ask, name: string) => Promise<PageAnswer | string>;
  /** Signs what the options of the path are about, and sends it there. */
  sign: (ask: Ask, path: string, said: object) => Promise<PageAnswer | string>;
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
  const { page_token: token, ...me } = (await asked((script, ask) => script.signIn(ask))) as Me & {
    page_token: string;
  };
  keepPageToken(token);
  return me;
}

/**
 * Has the browser make a passkey for whoever is signed in.
 *
 * @param name what they call it; may be empty
 * @throws Problem in words for them
 */
export async function makePasskey(name: string): Promise<void> {
  await asked((script, ask) => script.enrol(ask, name));
}

/**
 * Has the browser sign what is sent there, with a passkey of whoever is signed in.
 *
 * @throws Problem in words for whoever signs
 */
export async function sendSigned(path: string, said: object): Promise<void> {
  await asked((script, ask) => script.sign(ask, path, said));
}

/** What became of a ceremony. @throws Problem where the browser or Haldir refused */
async function asked(ceremony: (script: Passkeys, ask: Ask) => Promise<PageAnswer | string>): Promise<object> {
  let problem: Problem | null = null;
  const answer = await ceremony(await passkeys(), async (method, path, body) => {
    try {
      return { status: 200, body: await askPage<object>(method, path, body) };
    } catch (error) {
      problem = error instanceof Problem ? error : new Problem(String(error), 0);
      return { status: problem.status, body: {} };
    }
  });
  if (problem !== null) throw problem as Problem;
  if (typeof answer === 'string') throw new Problem(answer, 0, 'browser');
  return answer.body;
}

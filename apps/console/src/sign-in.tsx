import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { meQuery } from './api/me.ts';
import { HAS_PASSKEYS, signInByPasskey } from './api/passkey.ts';
import { Problem } from './api/problem.ts';
import { BASE } from './base.ts';
import { Mark } from './mark.tsx';
import { ThemeSwitch } from './theme.tsx';

/** What is there for somebody who is not signed in: the way in, and how this Haldir is. */
export function SignIn(): ReactNode {
  return (
    <div className="sign-in">
      <main>
        <p className="brand">
          <Mark /> Haldir
        </p>
        <h1>Sign in</h1>
        {isSecureContext ? <ByPasskey /> : <OverPlainHttp />}
        {isSecureContext && <ByIssuer />}
        <p className="muted">
          No passkey yet? Open the link that was made for you: it signs you in once, and offers to make one. An owner
          makes links; the first owner’s is printed by <code>npm start</code>. Whoever lost everything gets another.
        </p>
        <Health />
        <nav className="links" aria-label="For programs">
          <a href={`${BASE}/docs`}>Every route, to be tried in place</a>
          <a href={`${BASE}/openapi.json`}>openapi.json</a>
        </nav>
        <ThemeSwitch />
      </main>
    </div>
  );
}

function ByPasskey(): ReactNode {
  const client = useQueryClient();
  const router = useRouter();
  const [said, say] = useState('');
  const [isBusy, setBusy] = useState(false);
  if (!HAS_PASSKEYS) return <p className="notice">This browser has no passkeys: open a link that was made for you.</p>;
  const signIn = async (): Promise<void> => {
    setBusy(true);
    say('');
    try {
      client.setQueryData(meQuery.queryKey, await signInByPasskey());
      // Where somebody begins depends on who they are.
      await router.invalidate();
    } catch (error) {
      say(error instanceof Problem ? error.message : 'The browser could not do it. Try again.');
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" className="primary" disabled={isBusy} onClick={() => void signIn()}>
        Sign in with a passkey
      </button>
      <p role="status">{said}</p>
    </>
  );
}

/** Shown where an issuer is set, by the script of the pages of sign-in, `libs/people/src/http/page/oidc.js`. */
function ByIssuer(): ReactNode {
  useEffect(() => {
    // It looks for the button when it runs, and is to run whenever there is another.
    const script = document.createElement('script');
    script.src = `${BASE}/welcome/assets/oidc.js`;
    document.head.append(script);
    return () => script.remove();
  }, []);
  return <button type="button" className="issuer" data-oidc="" hidden />;
}

function OverPlainHttp(): ReactNode {
  return (
    <p className="notice">
      Nobody signs in over plain http: what signs you in would cross the network for anybody to read. Open Haldir at its
      https address, or on its own machine at <code>http://localhost</code>.
    </p>
  );
}

interface Readiness {
  ready: boolean;
  checks: { name: string; ok: boolean; reason?: string }[];
}

function Health(): ReactNode {
  const { data } = useQuery({
    queryKey: ['readyz'],
    queryFn: async ({ signal }): Promise<Readiness> =>
      (await (await fetch(`${BASE}/readyz`, { signal })).json()) as Readiness,
    refetchInterval: 15_000,
  });
  if (!data) return null;
  const wrong = data.checks.filter(({ ok }) => !ok).map(({ name, reason }) => `${name.replace('_', ' ')} (${reason})`);
  return (
    <p className={data.ready ? 'health' : 'health wrong'}>
      {data.ready ? 'This Haldir is ready.' : `This Haldir is not ready: ${wrong.join(', ')}.`}
    </p>
  );
}

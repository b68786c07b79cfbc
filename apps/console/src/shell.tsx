import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useMatches } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { may } from './api/scopes.ts';
import { type Me, meQuery, signOut } from './api/me.ts';
import { useLiveApprovals } from './approvals/live.ts';
import { PENDING_MAX, pendingQuery } from './approvals/requests.ts';
import { BASE } from './base.ts';
import { Mark } from './mark.tsx';
import { Navigation } from './nav.tsx';
import { Failed, Forbidden, Loading } from './parts/states.tsx';
import { When } from './parts/times.tsx';
import { SignIn } from './sign-in.tsx';
import { ThemeSwitch } from './theme.tsx';

/** What is around every view: for whoever is signed in, and the way in for everybody else. */
export function Shell(): ReactNode {
  const { data: me, error, refetch } = useQuery(meQuery);
  if (me === undefined)
    return <main className="page">{error ? <Failed error={error} again={() => void refetch()} /> : <Loading />}</main>;
  return me === null ? <SignIn /> : <SignedIn key={me.person.person_id} me={me} />;
}

function SignedIn({ me }: { me: Me }): ReactNode {
  const isFollowed = useLiveApprovals(me.person.person_id);
  const { data, isError, dataUpdatedAt } = useQuery(pendingQuery);
  const count = data?.requests.length ?? 0;
  const waiting = count === 0 ? '' : data?.more ? `${PENDING_MAX.toLocaleString('en')}+` : String(count);
  useTitle(waiting);
  const reads = useMatches({ select: (matches) => matches.at(-1)?.staticData.reads });
  const missing = reads === undefined || may(me, reads) ? undefined : reads;
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <Navigation me={me} waiting={waiting} />
        <Link to="/" activeOptions={{ exact: true }} className="brand">
          <Mark /> Haldir
        </Link>
        <ThemeSwitch />
        <WhoIsSignedIn me={me} />
      </header>
      <main id="main" className="page" tabIndex={-1}>
        {!isFollowed && isError && (
          <p className="notice" role="status">
            Not up to date
            {dataUpdatedAt > 0 && (
              <>
                {' '}
                since <When at={dataUpdatedAt / 1000} />
              </>
            )}
            : Haldir could not be asked what waits.
          </p>
        )}
        {missing === undefined ? <Outlet /> : <Forbidden required={missing} />}
      </main>
    </>
  );
}

function WhoIsSignedIn({ me: { person } }: { me: Me }): ReactNode {
  const client = useQueryClient();
  const [said, say] = useState('');
  const leave = async (): Promise<void> => {
    try {
      await signOut();
      client.setQueryData(meQuery.queryKey, null);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <details className="me">
      <summary aria-label={`Signed in as ${person.email}`}>
        {(person.name || person.email).slice(0, 1).toUpperCase()}
      </summary>
      <div className="menu">
        <p>
          <strong>{person.name || person.email}</strong>
          <br />
          <span className="muted">
            {person.email}, {person.role}
          </span>
        </p>
        <a href={`${BASE}/welcome`}>Your passkeys</a>
        <button type="button" onClick={() => void leave()}>
          Sign out
        </button>
        <p role="status">{said}</p>
      </div>
    </details>
  );
}

/** The name of the view, and before it how many wait. */
function useTitle(waiting: string): void {
  const name = useMatches({ select: (matches) => matches.at(-1)?.staticData.title ?? 'Not found' });
  useEffect(() => {
    document.title = `${waiting === '' ? '' : `(${waiting}) `}${name} · Haldir`;
  }, [waiting, name]);
}

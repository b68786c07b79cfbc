import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { meQuery } from '../api/me.ts';
import { HAS_PASSKEYS, makePasskey } from '../api/passkey.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Refused } from '../parts/form.tsx';
import { List } from '../parts/list.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Unread } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { Notifications } from './notifications.tsx';
import {
  endSignIn,
  OWN,
  type OwnPasskey,
  type OwnSignIn,
  passkeysQuery,
  removePasskey,
  signInsQuery,
} from './people.ts';
import { ToldBrowsers } from './told-browsers.tsx';

/** What is a person's own: passkeys, where they are signed in, and what they are told of, where. */
export function Own(): ReactNode {
  return (
    <>
      <Passkeys />
      <SignIns />
      <Notifications />
      <ToldBrowsers />
    </>
  );
}

function Passkeys(): ReactNode {
  const { data, error, refetch } = useQuery(passkeysQuery);
  const [removed, setRemoved] = useState<OwnPasskey | null>(null);
  const removing = useChange(removePasskey, OWN);
  const making = useChange(() => makePasskey(''), OWN);
  return (
    <section id="passkeys">
      <div className="section-head">
        <h2>Your passkeys</h2>
        {HAS_PASSKEYS && (
          <button type="button" disabled={making.isPending} onClick={() => making.mutate(undefined)}>
            Make a passkey
          </button>
        )}
      </div>
      <Refused error={making.error} />
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : data.length === 0 ? (
        <p className="muted">None yet. A passkey signs you in without a link, and signs what you decide.</p>
      ) : (
        <Table
          label="Your passkeys"
          heads={['Passkey', 'Made', 'Used last', { actions: 'Actions' }]}
          rows={data.map((passkey) => ({
            key: passkey.passkey_id,
            cells: [
              <Said text={passkey.name || `For ${passkey.rp_id}`} />,
              <When at={passkey.created_at} />,
              passkey.used_at === null ? <span className="muted">never</span> : <When at={passkey.used_at} />,
              <button type="button" className="small deny" onClick={() => setRemoved(passkey)}>
                Remove…
              </button>,
            ],
          }))}
        />
      )}
      {removed && (
        <Confirm
          title="Remove the passkey"
          button="Remove"
          act={() => removing.mutateAsync(removed)}
          onClosed={() => setRemoved(null)}
        >
          <p>It signs nobody in any more. Without any, you need a link of an owner to come back.</p>
        </Confirm>
      )}
    </section>
  );
}

const BY = { link: 'A link', passkey: 'A passkey', oidc: 'The issuer' };

function SignIns(): ReactNode {
  const client = useQueryClient();
  const ending = useChange(endSignIn, OWN);
  const end = (signIn: OwnSignIn): void =>
    ending.mutate(signIn, {
      // Who is signed in is asked anew: it was this one.
      onSuccess: () => signIn.current && void client.resetQueries(meQuery),
    });
  return (
    <section>
      <h2>Where you are signed in</h2>
      <List of={signInsQuery} empty={null}>
        {(signIns) => (
          <Table
            label="Where you are signed in"
            heads={['By', 'Since', 'Used last', 'Ends', { actions: 'Actions' }]}
            rows={signIns.map((signIn) => ({
              key: signIn.sign_in_id,
              cells: [
                <>
                  {BY[signIn.method]} {signIn.current && <StateMark is="good">here</StateMark>}
                </>,
                <When at={signIn.created_at} />,
                <When at={signIn.used_at} />,
                <When at={signIn.expires_at} />,
                <button
                  type="button"
                  className="small"
                  disabled={ending.isPending}
                  aria-label={
                    signIn.current ? 'End this sign-in, here' : `End the sign-in of ${BY[signIn.method].toLowerCase()}`
                  }
                  onClick={() => end(signIn)}
                >
                  End
                </button>,
              ],
            }))}
          />
        )}
      </List>
      <Refused error={ending.error} />
    </section>
  );
}

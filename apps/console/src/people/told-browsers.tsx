import { useQuery } from '@tanstack/react-query';
import { type ReactNode } from 'react';
import { useChange } from '../api/change.ts';
import { Refused } from '../parts/form.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Unread } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { CAN_PUSH, type OwnPush, pushQuery, tellHere, tellNoMore } from './own-push.ts';
import { OWN } from './people.ts';

/** The browsers in which a person is told, by push. */
export function ToldBrowsers(): ReactNode {
  const { data, error, refetch } = useQuery(pushQuery);
  return (
    <section id="browsers">
      {data === undefined ? (
        <>
          <h2>Browsers that tell you</h2>
          <Unread error={error} again={refetch} />
        </>
      ) : (
        <Browsers of={data} />
      )}
    </section>
  );
}

function Browsers({ of: { public_key: key, subscriptions, here } }: { of: OwnPush }): ReactNode {
  const adding = useChange(() => tellHere(key), OWN);
  const removing = useChange(tellNoMore, OWN);
  const isHere = subscriptions.some(({ endpoint_sha256: digest }) => digest === here);
  return (
    <>
      <div className="section-head">
        <h2>Browsers that tell you</h2>
        {CAN_PUSH && !isHere && (
          <button type="button" disabled={adding.isPending} onClick={() => adding.mutate(undefined)}>
            Tell me in this browser
          </button>
        )}
      </div>
      <Refused error={adding.error ?? removing.error} />
      {subscriptions.length === 0 ? (
        <p className="muted">
          None yet. {CAN_PUSH ? 'A browser' : 'This browser cannot; one that can'} shows what happened while no page of
          Haldir is open: a title and a link, and nothing that an agent has written.
        </p>
      ) : (
        <Table
          label="Browsers that tell you"
          heads={['Browser', 'Since', 'Told last', { actions: 'Actions' }]}
          rows={subscriptions.map((told) => ({
            key: told.subscription_id,
            cells: [
              <>
                <Said text={told.browser || told.service} />{' '}
                {told.endpoint_sha256 === here && <StateMark is="good">here</StateMark>}
                <br />
                <span className="hint">
                  by <Said text={told.service} />
                </span>
              </>,
              <When at={told.created_at} />,
              told.told_at === null ? <span className="muted">never</span> : <When at={told.told_at} />,
              <button
                type="button"
                className="small"
                disabled={removing.isPending}
                aria-label={`Remove (${told.browser || told.service})`}
                onClick={() => removing.mutate(told)}
              >
                Remove
              </button>,
            ],
          }))}
        />
      )}
    </>
  );
}

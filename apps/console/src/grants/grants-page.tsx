import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import '../admin.css';
import '../views.css';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { APPROVALS } from '../approvals/requests.ts';
import { Confirm } from '../parts/confirm.tsx';
import { visible } from '../parts/hidden.ts';
import { List } from '../parts/list.tsx';
import { usd } from '../parts/money.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Sentence } from '../parts/sentence.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { Countdown, When } from '../parts/times.tsx';
import { type Grant, grantsQuery, revokeGrant } from './grants.ts';
import { alikeWords } from './words.ts';

const route = getRouteApi('/grants');

/** What was allowed beside the call that waited: calls alike, so many, until then. */
export function GrantsPage(): ReactNode {
  const { state = 'live' } = route.useSearch();
  return (
    <>
      <PageHead title="Grants" />
      <p className="muted">
        Calls like one that waited, which go through without waiting. A change of the tool, its price, a policy or a
        rule stops one, too, although it is still shown here.
      </p>
      <nav className="tabs" aria-label="By state">
        <Link to="/grants" search={{}} activeOptions={{ exact: true }}>
          Live
        </Link>
        <Link to="/grants" search={{ state: 'ended' }} activeOptions={{ exact: true }}>
          Ended
        </Link>
      </nav>
      <List
        key={state}
        of={grantsQuery(state)}
        empty={
          state === 'ended' ? (
            <Empty title="No grant has ended." />
          ) : (
            <Empty title="No grant is live.">
              <p className="muted">
                Whoever approves a call can approve more like it. <Link to="/approvals">Approvals</Link>
              </p>
            </Empty>
          )
        }
      >
        {(grants) => <GrantTable grants={grants} />}
      </List>
    </>
  );
}

function GrantTable({ grants }: { grants: readonly Grant[] }): ReactNode {
  const mayDecide = useMay('approvals:decide');
  const [revoked, setRevoked] = useState<Grant | null>(null);
  const revoking = useChange(revokeGrant, APPROVALS[0]);
  return (
    <>
      <Table
        label="Grants"
        heads={['Agent and tool', 'For', { number: 'Calls' }, { number: 'Money' }, 'Given', 'Until', { actions: 'Actions' }]} // prettier-ignore
        rows={grants.map((grant) => ({
          key: grant.grant_id,
          cells: [
            <>
              <Link to="/agents" search={{ agent: grant.agent_id }} className="row-link">
                <Said text={grant.agent_id} />
              </Link>
              <br />
              <span className="hint">
                <Said text={grant.tool} />
              </span>
            </>,
            <>
              <Sentence words={alikeWords(grant)} />{' '}
              <Link to="/approvals" search={{ request: grant.request_id }}>
                as in the request
              </Link>
            </>,
            <Left left={String(grant.uses - grant.used)} used={`${grant.used} of ${grant.uses} used`} />,
            <MoneyLeft of={grant} />,
            <>
              <Said text={grant.granted_by.replace(/^person:/, '')} />
              <br />
              <span className="hint">
                <When at={grant.created_at} />
              </span>
            </>,
            <End of={grant} />,
            mayDecide && grant.state === 'live' && (
              <button
                type="button"
                className="small deny"
                aria-label={`Revoke the grant for ${visible(grant.tool)} by ${visible(grant.agent_id)}`}
                onClick={() => setRevoked(grant)}
              >
                Revoke…
              </button>
            ),
          ],
        }))}
      />
      {revoked && (
        <Confirm
          title="Revoke the grant"
          button="Revoke"
          act={() => revoking.mutateAsync(revoked)}
          onClosed={() => setRevoked(null)}
        >
          <p>
            From now on each call of <Said text={revoked.tool} /> by <Said text={revoked.agent_id} /> waits for a human
            again, where a rule or a policy says so. What went through stays so.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Left({ left, used }: { left: string; used: string }): ReactNode {
  return (
    <>
      {left} left
      <br />
      <span className="hint">{used}</span>
    </>
  );
}

function MoneyLeft({ of: { total_amount: total, spent } }: { of: Grant }): ReactNode {
  if (total === null) return <span className="muted">none</span>;
  // Both have six places at most, which a difference of numbers may not.
  const left = Math.max(0, Math.round((total - spent) * 1e6) / 1e6);
  return <Left left={usd(left)} used={`${usd(spent)} of ${usd(total)} used`} />;
}

function End({ of: { state, expires_at: end, revoked_at: at, revoked_key: by } }: { of: Grant }): ReactNode {
  switch (state) {
    case 'live':
      return (
        <>
          <Countdown until={end} />
          <br />
          <span className="hint">
            <When at={end} />
          </span>
        </>
      );
    case 'used':
      return <StateMark is="off">Used up</StateMark>;
    case 'expired':
      return (
        <StateMark is="off">
          <When at={end} />
        </StateMark>
      );
    case 'revoked':
      return (
        <>
          <StateMark is="wrong">Revoked</StateMark>
          <br />
          <span className="hint">
            {at !== null && <When at={at} />}
            {by !== null && (
              <>
                {' '}
                by <code>{visible(by)}</code>
              </>
            )}
          </span>
        </>
      );
  }
}

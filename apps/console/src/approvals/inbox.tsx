import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { usd } from '../parts/money.ts';
import { Said } from '../parts/said.tsx';
import { Empty, Unread } from '../parts/states.tsx';
import { Countdown, When } from '../parts/times.tsx';
import { hold } from './arrivals.ts';
import { DecisionPage } from './decision.tsx';
import { isPayment, sumOf } from './payment.ts';
import { type Approval, overQuery, type Pending, pendingQuery, type Status, STATUSES } from './requests.ts';

const route = getRouteApi('/approvals');

const TITLES: Record<Status, string> = {
  pending: 'Pending',
  approved: 'Approved',
  denied: 'Denied',
  expired: 'Expired',
};

export function ApprovalsPage(): ReactNode {
  const { status = 'pending', request } = route.useSearch();
  if (request !== undefined) return <DecisionPage key={request} id={request} />;
  return (
    <>
      <h1>Approvals</h1>
      <nav className="tabs" aria-label="By status">
        {STATUSES.map((each) => (
          <Link
            key={each}
            to="/approvals"
            search={each === 'pending' ? {} : { status: each }}
            activeOptions={{ exact: true }}
          >
            {TITLES[each]}
          </Link>
        ))}
        <Link to="/grants" search={{}}>
          Grants
        </Link>
      </nav>
      {status === 'pending' ? <PendingList /> : <OverList key={status} status={status} />}
    </>
  );
}

function PendingList(): ReactNode {
  const { data, error, refetch } = useQuery(pendingQuery);
  const [shown, show] = useState<readonly Pending[]>([]);
  if (data === undefined) return <Unread error={error} again={refetch} />;
  const { rows, gone, arrived } = hold(shown, data.requests);
  if (rows !== shown) show(rows);
  const changed = arrived + gone.size;
  return (
    <>
      <p className="arrived" role="status">
        {changed > 0 && (
          <button type="button" className="pill" onClick={() => show(data.requests)}>
            {arrived > 0 ? `${arrived} new — show` : `${gone.size} decided — update`}
          </button>
        )}
      </p>
      {rows.length === 0 ? (
        <Empty title="No one is waiting.">
          <p className="muted">
            When a rule or a policy stops an agent, it appears here. <Link to="/policies">Policies</Link>
          </p>
        </Empty>
      ) : (
        <ul className="rows">
          {rows.map((pending) => (
            <Row key={pending.request_id} request={pending}>
              {gone.has(pending.request_id) ? (
                <span className="muted">no longer waiting</span>
              ) : (
                <Countdown until={pending.expires_at} />
              )}
            </Row>
          ))}
        </ul>
      )}
      {data.more && <p className="muted">There are more. Those that were asked for last are shown.</p>}
    </>
  );
}

function OverList({ status }: { status: Exclude<Status, 'pending'> }): ReactNode {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(overQuery(status));
  if (data === undefined) return <Unread error={error} again={refetch} />;
  const requests = data.pages.flatMap((page) => page.requests);
  if (requests.length === 0) return <Empty title={`Nothing is ${TITLES[status].toLowerCase()} yet.`} />;
  return (
    <>
      <ul className="rows">
        {requests.map((request) => (
          <Row key={request.request_id} request={request}>
            <span className="muted">
              <When at={request.decided_at ?? request.expires_at} />
            </span>
          </Row>
        ))}
      </ul>
      {hasNextPage && (
        <button type="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show older ones
        </button>
      )}
    </>
  );
}

function Row({ request, children }: { request: Pending | Approval; children: ReactNode }): ReactNode {
  const { request_id: id, agent_id: agent, tool, action, amount, reason } = request;
  return (
    <li>
      <Link to="/approvals" search={(before) => ({ ...before, request: id })} className="row">
        <span className="row-main">
          <strong>
            <Said text={agent} />
          </strong>{' '}
          <span className="muted">wants</span>{' '}
          <strong>
            <Said text={tool === '' ? action : tool} />
          </strong>
          {isPayment(request) ? (
            <span className="amount">{sumOf(request)}</span>
          ) : (
            amount > 0 && <span className="amount">{usd(amount)}</span>
          )}
        </span>
        <span className="row-side">{children}</span>
        {reason !== '' && (
          <span className="row-more muted">
            <Said text={reason} />
          </span>
        )}
      </Link>
    </li>
  );
}

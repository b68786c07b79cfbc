import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { answered, api } from './api/client.ts';
import { serverSeconds } from './api/server-clock.ts';
import { usd } from './parts/money.ts';
import { Unread } from './parts/states.tsx';
import { lastDays, spendQuery } from './spend/spend.ts';

const overviewQuery = queryOptions({
  queryKey: ['overview'],
  queryFn: ({ signal }) => answered(api.GET('/v1/admin/overview', { signal })),
  // The log is verified for it.
  staleTime: 60_000,
});

/** Whether each step of setting up was done. */
const setUpQuery = queryOptions({
  queryKey: ['set-up'],
  queryFn: async ({ signal }) => {
    const one = { params: { query: { limit: 1 } }, signal };
    const [agents, upstreams, rules, policies, people] = await Promise.all([
      answered(api.GET('/v1/agents', one)),
      answered(api.GET('/v1/proxy/upstreams', one)),
      answered(api.GET('/v1/approvals/rules', one)),
      answered(api.GET('/v1/proxy/policies', { signal })),
      answered(api.GET('/v1/people', { params: { query: { limit: 2 } }, signal })),
    ]);
    const isHeld = rules.rules.length > 0 || policies.policies.some(({ type }) => type === 'require_approval');
    return [
      {
        text: 'A tool server is behind Haldir',
        isDone: Object.keys(upstreams.upstreams).length > 0,
        how: 'Add an upstream',
        to: '/upstreams',
      },
      { text: 'An agent has acted', isDone: agents.agents.length > 0, how: 'Give it a key', to: '/keys' },
      { text: 'Something waits for a human', isDone: isHeld, how: 'Propose a policy', to: '/policies' },
      { text: 'Somebody else is invited', isDone: people.people.length > 1, how: 'Invite them', to: '/people' },
    ] as const;
  },
});

export function OverviewPage(): ReactNode {
  const { data, error, refetch } = useQuery(overviewQuery);
  // What the page of spending shows of it; days are of UTC.
  const now = serverSeconds();
  const month = lastDays(new Date(now * 1000).getUTCDate(), now);
  const { data: spent } = useQuery(spendQuery(month, 'agent'));
  return (
    <>
      <h1>Overview</h1>
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : (
        <>
          <ul className="numbers">
            <li>
              <Link to="/approvals" search={{}}>
                <strong>{data.approvals.pending_count}</strong> waiting for approval
              </Link>
            </li>
            <li>
              <Link to="/sessions" search={{}}>
                <strong>{data.sessions.active_count}</strong> active sessions
              </Link>
            </li>
            <li>
              <Link to="/spend" search={month}>
                <strong>{spent ? usd(spent.total_usd) : '…'}</strong> spent this month
              </Link>
            </li>
            <li>
              <Link to="/flags" search={{}}>
                <strong>{data.audit.flagged_7d}</strong> flags in 7 days
              </Link>
            </li>
          </ul>
          <p className={data.audit.chain_verified ? 'health' : 'health wrong'}>
            {data.audit.total_entries === 0
              ? 'The log is empty.'
              : data.audit.chain_verified
                ? `The log is intact: ${data.audit.total_entries.toLocaleString('en')} entries.`
                : 'The log does not verify: something in it was changed.'}{' '}
            <Link to="/integrity">Integrity</Link>
          </p>
        </>
      )}
      <SetUp />
    </>
  );
}

function SetUp(): ReactNode {
  const { data } = useQuery(setUpQuery);
  if (!data || data.every(({ isDone }) => isDone)) return null;
  return (
    <section>
      <h2>Set up</h2>
      <ul className="steps">
        {data.map(({ text, isDone, how, to }) => (
          <li key={text} className={isDone ? 'done' : ''}>
            <span aria-hidden="true">{isDone ? '✓' : '○'}</span> {text}
            <span className="sr"> {isDone ? '(done)' : '(to do)'}</span>
            {!isDone && (
              <>
                {' '}
                <Link to={to} search={{}}>
                  {how}
                </Link>
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { LastActions } from '../audit/last-actions.tsx';
import { usd } from '../parts/money.ts';
import { Said } from '../parts/said.tsx';
import { Unread } from '../parts/states.tsx';
import { Countdown, wholeTime, When } from '../parts/times.tsx';
import { budgetsQuery, ruleQuery, toolNames, toolQuery } from './context.ts';
import { DecisionBar } from './decision-bar.tsx';
import { isDestructive } from './destructive.ts';
import { Details } from './details.tsx';
import { GrantTerms } from './grant-terms.tsx';
import { type Terms } from './grant.ts';
import { isPayment, sumOf } from './payment.ts';
import { type Approval, requestQuery } from './requests.ts';
import { inSentence, readDetails } from './shown-details.ts';

/** One request, and the decision on it. */
export function DecisionPage({ id }: { id: string }): ReactNode {
  const { data: request, error, refetch } = useQuery(requestQuery(id));
  return (
    <>
      <p className="back">
        <Link to="/approvals" search={({ request: _, ...rest }) => rest}>
          ← Approvals
        </Link>
      </p>
      {request !== undefined ? <RequestView request={request} /> : <Unread error={error} again={refetch} />}
    </>
  );
}

function RequestView({ request }: { request: Approval }): ReactNode {
  const [isAllRead, setAllRead] = useState(!request.details_cut);
  const [terms, setTerms] = useState<Terms | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const isCall = request.digest !== null && request.action === 'tool_call';
  return (
    <article className="decision">
      <h1 ref={heading} tabIndex={-1} className="sentence">
        <Sentence request={request} />
      </h1>
      <p className="muted">
        Asked <When at={request.created_at} />
        {request.status === 'pending' && (
          <>
            {' · '}
            <Countdown until={request.expires_at} />
          </>
        )}
      </p>
      {request.digest === null && (
        <p className="notice">The agent asks of its own accord: no call waits for this, and it lets none through.</p>
      )}
      {isCall && <ToolWarning tool={request.tool} />}
      {request.reason !== '' && (
        <section>
          <h2>Reason</h2>
          <Said text={request.reason} block />
        </section>
      )}
      <section>
        <h2>{isCall ? 'Arguments' : 'Details'}</h2>
        <Details request={request} onAllRead={() => setAllRead(true)} />
        <p className="hint">What stands in boxes are the words of the agent. They may be wrong, or mean to persuade.</p>
      </section>
      {(request.amount > 0 || isPayment(request)) && <Money request={request} />}
      <Why request={request} />
      {isCall && <ToolText tool={request.tool} />}
      <section>
        <h2>What this agent did last</h2>
        <LastActions agentId={request.agent_id} />
      </section>
      {request.status === 'pending' && <GrantTerms request={request} terms={terms} onTerms={setTerms} />}
      <Particulars request={request} />
      <DecisionBar request={request} isAllRead={isAllRead} terms={terms} />
    </article>
  );
}

function Sentence({ request }: { request: Approval }): ReactNode {
  const { agent_id: agent, tool, action, reason, digest, details } = request;
  const who = <Said text={agent} />;
  if (isPayment(request)) {
    return (
      <>
        {who} <span>wants to {action === 'hold' ? 'set aside' : 'pay'}</span> {sumOf(request)}
      </>
    );
  }
  if (digest !== null && action === 'tool_call') {
    const shown = request.details_cut ? null : readDetails(details ?? '', digest);
    return (
      <>
        {who} <span>wants to run</span> <Said text={tool} />
        {shown?.isCall && (
          <>
            {' '}
            <span>
              <Said text={inSentence(shown.rows)} />
            </span>
          </>
        )}
      </>
    );
  }
  return (
    <>
      {who} <span>asks for</span> <Said text={action === '' ? reason || 'an approval' : action} />
      {tool !== '' && (
        <>
          {' '}
          <span>of</span> <Said text={tool} />
        </>
      )}
    </>
  );
}

function ToolWarning({ tool }: { tool: string }): ReactNode {
  const { data } = useQuery(toolQuery(tool));
  if (isDestructive(toolNames(tool).own, data?.annotations))
    return <p className="notice danger">This tool is destructive: what it does can hardly be taken back.</p>;
  return data ? null : <p className="notice">It could not be read whether this tool is destructive.</p>;
}

function ToolText({ tool }: { tool: string }): ReactNode {
  const { data } = useQuery(toolQuery(tool));
  if (!data || data.description === '') return null;
  return (
    <section>
      <h2>What the tool says of itself</h2>
      <Said text={data.description} block />
    </section>
  );
}

function Money({ request }: { request: Approval }): ReactNode {
  const { data: budgets = [], error } = useQuery(budgetsQuery(request.agent_id));
  return (
    <section>
      <h2>Money</h2>
      <p>
        This is for <strong>{isPayment(request) ? sumOf(request) : usd(request.amount)}</strong>.
        {request.amount === 0 && ' What that is in US dollars is not known.'}
      </p>
      {error !== null && <p className="notice">It could not be read what is left of the budgets.</p>}
      {request.amount > 0 && budgets.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Budget</th>
              <th scope="col">Left now</th>
              <th scope="col">Left after</th>
            </tr>
          </thead>
          <tbody>
            {budgets.map(({ id, scope, limit, remaining }) => (
              <tr key={id}>
                <td>
                  {scope === 'tenant' ? 'All agents, this month' : 'This agent, today'} ({usd(limit)})
                </td>
                <td>{usd(remaining ?? 0)}</td>
                <td>{(remaining ?? 0) < request.amount ? 'not enough' : usd((remaining ?? 0) - request.amount)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Which policies and rules hold it. */
function Why({ request: { rule_ids: ids } }: { request: Approval }): ReactNode {
  if (ids.length === 0) return null;
  return (
    <section>
      <h2>Why it waits</h2>
      {ids.map((id) => (
        <Rule key={id} id={id} />
      ))}
    </section>
  );
}

function Rule({ id }: { id: string }): ReactNode {
  const { data, error } = useQuery(ruleQuery(id));
  return (
    <p>
      {data === undefined
        ? error !== null && 'It could not be read what the rule or policy says.'
        : (data ?? 'A rule or policy that has been removed since.')}{' '}
      <code className="muted">{id}</code>
    </p>
  );
}

function Particulars({ request }: { request: Approval }): ReactNode {
  return (
    <details className="particulars">
      <summary>Digest, key and times</summary>
      <dl>
        <dt>Request</dt>
        <dd>
          <code>{request.request_id}</code>
        </dd>
        <dt>Digest of the call (SHA-256)</dt>
        <dd>
          <code>{request.digest ?? 'none'}</code>
        </dd>
        <dt>Asked with</dt>
        <dd>
          <code>{request.requested_key ?? 'not known'}</code>
        </dd>
        <dt>Asked</dt>
        <dd>{wholeTime(request.created_at)}</dd>
        <dt>Expires</dt>
        <dd>{wholeTime(request.expires_at)}</dd>
        {request.details !== null && !request.details_cut && (
          <>
            <dt>Details, as they were written</dt>
            <dd>
              <Said text={request.details} block />
            </dd>
          </>
        )}
      </dl>
    </details>
  );
}

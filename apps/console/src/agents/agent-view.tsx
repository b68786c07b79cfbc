import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useMay } from '../api/may.ts';
import { LastActions } from '../audit/last-actions.tsx';
import { List } from '../parts/list.tsx';
import { usd } from '../parts/money.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Empty, Unread } from '../parts/states.tsx';
import { When } from '../parts/times.tsx';
import { SessionTable } from '../sessions/session-table.tsx';
import { sessionsQuery } from '../sessions/sessions.ts';
import { type Agent, agentQuery } from './agents.ts';
import { FreezeDialog } from './freeze-dialog.tsx';
import { Frozen } from './frozen.tsx';

/** One agent: whether it may act, what it has, and what it did. */
export function AgentView({ id }: { id: string }): ReactNode {
  const { data, error, refetch } = useQuery(agentQuery(id));
  const mayFreeze = useMay('sessions:write');
  const mayAll = useMay('admin:write');
  const [isFreezing, setFreezing] = useState(false);
  const frozen = data?.agent?.frozen;
  return (
    <>
      <p className="back">
        <Link to="/agents" search={{}}>
          ← Agents
        </Link>
      </p>
      <PageHead title={<Said text={id} />}>
        {mayFreeze && data?.agent && !frozen && (
          <button type="button" className="deny" onClick={() => setFreezing(true)}>
            Freeze…
          </button>
        )}
      </PageHead>
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : data.agent === null ? (
        <Empty title="The log has nothing of this agent.">
          <Link to="/agents" search={{}} className="button">
            To all agents
          </Link>
        </Empty>
      ) : (
        <>
          {data.allFrozen && <Frozen id={null} by={data.allFrozen} mayEnd={mayAll} />}
          {frozen && <Frozen id={id} by={frozen} mayEnd={mayFreeze} />}
          <Numbers agent={data.agent} />
          <Sessions id={id} />
          <section>
            <h2>What it did last</h2>
            <LastActions agentId={id} />
            <Link to="/audit" search={{ agent_id: id }} className="button">
              All of it, in the audit log
            </Link>
          </section>
        </>
      )}
      {isFreezing && <FreezeDialog id={id} onClosed={() => setFreezing(false)} />}
    </>
  );
}

function Numbers({ agent }: { agent: Agent }): ReactNode {
  const { agent_id: id, active_sessions: sessions, flagged, spent_usd: spent, last_seen: lastSeen } = agent;
  return (
    <>
      <p className="muted">
        Last seen <When at={lastSeen} />
      </p>
      <ul className="numbers">
        <li>
          <Link to="/sessions" search={{ agent_id: id }}>
            <strong>{sessions.toLocaleString('en')}</strong> active sessions
          </Link>
        </li>
        <li>
          <Link to="/spend" search={{ agent_id: id }}>
            <strong>{usd(spent)}</strong> spent so far
          </Link>
        </li>
        <li>
          <Link to="/audit" search={{ agent_id: id }}>
            <strong>{agent.actions.toLocaleString('en')}</strong> actions
          </Link>
        </li>
        <li>
          <Link to="/flags" search={{ agent_id: id }}>
            <strong>{flagged.toLocaleString('en')}</strong> flagged
          </Link>
        </li>
      </ul>
    </>
  );
}

function Sessions({ id }: { id: string }): ReactNode {
  return (
    <section>
      <h2>Active sessions</h2>
      <List
        of={sessionsQuery({ agent_id: id, status: 'active' })}
        empty={<p className="muted">None: it opens one when it acts.</p>}
      >
        {(sessions) => <SessionTable sessions={sessions} isOfOneAgent />}
      </List>
    </section>
  );
}

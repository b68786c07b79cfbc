import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import '../admin.css';
import '../views.css';
import { useMay } from '../api/may.ts';
import { List } from '../parts/list.tsx';
import { usd } from '../parts/money.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { AgentView } from './agent-view.tsx';
import { type Agent, agentsQuery, allFrozenQuery } from './agents.ts';
import { Frozen } from './frozen.tsx';

const route = getRouteApi('/agents');

export function AgentsPage(): ReactNode {
  const { agent } = route.useSearch();
  return agent === undefined ? <Agents /> : <AgentView key={agent} id={agent} />;
}

function Agents(): ReactNode {
  const { data: allFrozen } = useQuery(allFrozenQuery);
  const mayAll = useMay('admin:write');
  return (
    <>
      <PageHead title="Agents" />
      {allFrozen && <Frozen id={null} by={allFrozen} mayEnd={mayAll} />}
      <List
        of={agentsQuery}
        empty={
          <Empty title="No agent has acted yet.">
            <p className="muted">An agent appears here with its first session. Give it a key of its own.</p>
            <Link to="/keys" search={{}} className="button">
              To the API keys
            </Link>
          </Empty>
        }
      >
        {(agents) => (
          <Table
            label="Agents"
            heads={['Agent', 'State', 'Last seen', { number: 'Sessions' }, { number: 'Actions' }, { number: 'Flags' }, { number: 'Spent' }]} // prettier-ignore
            rows={agents.map((agent) => ({ key: agent.agent_id, cells: cellsOf(agent) }))}
          />
        )}
      </List>
    </>
  );
}

function cellsOf(agent: Agent): ReactNode[] {
  const { agent_id: id, frozen, last_seen: lastSeen, active_sessions: sessions, actions, flagged } = agent;
  return [
    <Link to="/agents" search={{ agent: id }} className="row-link">
      <Said text={id} />
    </Link>,
    frozen ? <StateMark is="wrong">Frozen</StateMark> : sessions > 0 ? <StateMark is="good">Active</StateMark> : <StateMark is="off">Idle</StateMark>, // prettier-ignore
    <When at={lastSeen} />,
    sessions.toLocaleString('en'),
    actions.toLocaleString('en'),
    flagged === 0 ? (
      '0'
    ) : (
      <Link to="/flags" search={{ agent_id: id }}>
        {flagged.toLocaleString('en')}
      </Link>
    ),
    usd(agent.spent_usd),
  ];
}

import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import '../admin.css';
import '../views.css';
import { BASE } from '../base.ts';
import { Copied } from '../parts/copied.tsx';
import { FilterChip } from '../parts/filter-chip.tsx';
import { visible } from '../parts/hidden.ts';
import { List } from '../parts/list.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Empty } from '../parts/states.tsx';
import { SessionTable } from './session-table.tsx';
import { SESSION_STATES } from './search.ts';
import { sessionsQuery } from './sessions.ts';

const route = getRouteApi('/sessions');

const TITLES = { active: 'Active', expired: 'Expired', revoked: 'Revoked', all: 'All' } as const;

export function SessionsPage(): ReactNode {
  const search = route.useSearch();
  const { agent_id: agent, status = 'active' } = search;
  return (
    <>
      <PageHead title="Sessions" />
      <nav className="tabs" aria-label="By state">
        {([...SESSION_STATES, 'all'] as const).map((each) => (
          <Link
            key={each}
            from="/sessions"
            to="/sessions"
            search={(before) => ({ ...before, status: each === 'active' ? undefined : each })}
            activeOptions={{ exact: true }}
          >
            {TITLES[each]}
          </Link>
        ))}
      </nav>
      {agent !== undefined && (
        <div className="chips">
          <FilterChip name="agent_id" label={`Agent: ${visible(agent)}`}>
            Agent: <Said text={agent} />
          </FilterChip>
        </div>
      )}
      <List
        key={status}
        of={sessionsQuery(search)}
        empty={
          <Empty title={status === 'all' ? 'There are no sessions.' : `No session is ${status}.`}>
            <p className="muted">An agent with a key of its own opens one by itself, at /mcp, or so:</p>
            <Copied label="Open a session" text={snippet()} />
          </Empty>
        }
      >
        {(sessions) => <SessionTable sessions={sessions} />}
      </List>
    </>
  );
}

function snippet(): string {
  const body = JSON.stringify({ agent_id: 'my-agent', scopes: ['read', 'execute'], ttl: 3600, spend_limit: 10 });
  return `curl -sS -X POST ${location.origin}${BASE}/v1/sessions -H "Authorization: Bearer $HALDIR_KEY" -H 'content-type: application/json' -d '${body}'`;
}

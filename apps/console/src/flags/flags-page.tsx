import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import '../admin.css';
import '../views.css';
import { FilterChip } from '../parts/filter-chip.tsx';
import { visible } from '../parts/hidden.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Empty, Unread } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { type Flagged, FLAGS_MAX, flagsQuery, REASONS } from './flags.ts';
import { type FlagsSearch, RANGES } from './search.ts';

const route = getRouteApi('/flags');

/** Of each reason, where it is not the only one. */
const SHOWN = 5;

export function FlagsPage(): ReactNode {
  const search = route.useSearch();
  const { reason, days = 7 } = search;
  const { data, error, refetch } = useQuery(flagsQuery(search));
  const groups = data?.groups.filter((group) => reason === undefined || group.reason === reason) ?? [];
  return (
    <>
      <PageHead title="Flags" />
      <Filters search={search} />
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : groups.length === 0 ? (
        <Empty title={`No anomalies in ${days === 1 ? 'the last 24 hours' : `${days} days`}.`}>
          <p className="muted">
            What an agent does that is unlike it, or over a limit of the audit rules, appears here.
          </p>
        </Empty>
      ) : (
        groups.map((group) => <Group key={group.reason} group={group} isAlone={reason !== undefined} />)
      )}
      {data?.more && (
        <p className="muted">There are more: the newest {FLAGS_MAX.toLocaleString('en')} were read and grouped.</p>
      )}
    </>
  );
}

function Filters({ search: { agent_id: agent, reason } }: { search: FlagsSearch }): ReactNode {
  return (
    <>
      <nav className="tabs" aria-label="By time">
        {RANGES.map((each) => (
          <Link
            key={each}
            from="/flags"
            to="/flags"
            search={(before) => ({ ...before, days: each === 7 ? undefined : each })}
            activeOptions={{ exact: true }}
          >
            {each === 1 ? '24 hours' : `${each} days`}
          </Link>
        ))}
      </nav>
      {(agent !== undefined || reason !== undefined) && (
        <div className="chips">
          {agent !== undefined && (
            <FilterChip name="agent_id" label={`Agent: ${visible(agent)}`}>
              Agent: <Said text={agent} />
            </FilterChip>
          )}
          {reason !== undefined && (
            <FilterChip name="reason" label={`Reason: ${REASONS[reason] ?? reason}`}>
              {REASONS[reason] ?? reason}
            </FilterChip>
          )}
        </div>
      )}
    </>
  );
}

function Group({ group, isAlone }: { group: Flagged; isAlone: boolean }): ReactNode {
  const { reason, entries, agents, first, last } = group;
  const title = REASONS[reason] ?? 'Other';
  const shown = isAlone ? entries : entries.slice(0, SHOWN);
  return (
    <section>
      <h2>
        {title} <span className="badge">{entries.length}</span>
      </h2>
      <p className="hint">
        {agents.length === 1 ? '1 agent' : `${agents.length} agents`}, first <When at={first} />, last{' '}
        <When at={last} />
      </p>
      <Table
        label={title}
        heads={['When', 'Agent', 'What', 'Why']}
        rows={shown.map(({ entry_id: id, timestamp, agent_id: agent, action, tool, flag_reason: why }) => ({
          key: id,
          cells: [
            <Link to="/audit" search={{ flagged: true, agent_id: agent, entry: id }}>
              <When at={timestamp} />
            </Link>,
            <Link to="/agents" search={{ agent }} className="row-link">
              <Said text={agent} />
            </Link>,
            <>
              <Said text={action} /> {tool !== '' && <span className="muted">of </span>}
              <Said text={tool} />
            </>,
            <span className="muted">
              <Said text={why ?? ''} />
            </span>,
          ],
        }))}
      />
      {shown.length < entries.length && (
        <Link from="/flags" to="/flags" search={(before) => ({ ...before, reason })} className="button small">
          Show all {entries.length}
        </Link>
      )}
    </section>
  );
}

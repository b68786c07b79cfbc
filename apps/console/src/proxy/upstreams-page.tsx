import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import '../admin.css';
import { useMay } from '../api/may.ts';
import { List } from '../parts/list.tsx';
import { NameSearch } from '../parts/name-search.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { AddUpstream } from './add-upstream.tsx';
import { Reachability } from './reachability.tsx';
import { UpstreamPage } from './upstream-page.tsx';
import { type Upstream, upstreamsQuery } from './upstreams.ts';

const route = getRouteApi('/upstreams');

export function UpstreamsPage(): ReactNode {
  const { upstream, add } = route.useSearch();
  if (add) return <AddUpstream />;
  return upstream === undefined ? <UpstreamList /> : <UpstreamPage key={upstream} name={upstream} />;
}

function UpstreamList(): ReactNode {
  const search = route.useSearch();
  const query = upstreamsQuery(search);
  const { data } = useInfiniteQuery(query);
  const isFiltered = search.name_contains !== undefined || search.unhealthy === true;
  const isBare = !isFiltered && data?.pages[0]?.items.length === 0;
  return (
    <>
      <PageHead title="Upstreams">{!isBare && <AddLink />}</PageHead>
      {!isBare && <Filters />}
      <List
        of={query}
        empty={
          isFiltered ? (
            <Empty title="No upstream matches.">
              <Link to="/upstreams" search={{}} className="button">
                Clear the filters
              </Link>
            </Empty>
          ) : (
            <Empty title="No tool server is behind Haldir yet.">
              <p className="muted">Add an MCP server by its address; Haldir asks it for its tools at once.</p>
              <AddLink />
            </Empty>
          )
        }
      >
        {(upstreams) => (
          <Table
            label="Upstreams"
            heads={['Name', 'State', 'Tools', { number: 'Calls' }, 'Asked last']}
            rows={upstreams.map(([name, upstream]) => ({ key: name, cells: cellsOf(name, upstream) }))}
          />
        )}
      </List>
    </>
  );
}

function cellsOf(name: string, upstream: Upstream): ReactNode[] {
  const { tools, drifted, refused, total_calls: calls, last_check: at } = upstream;
  const held = [drifted > 0 && `${drifted} changed`, refused > 0 && `${refused} refused`].filter(Boolean).join(', ');
  return [
    <Link to="/upstreams" search={{ upstream: name }} className="row-link">
      <Said text={name} />
    </Link>,
    <Reachability upstream={upstream} />,
    <>
      {tools} {held !== '' && <span className="flag">{held}</span>}
    </>,
    calls.toLocaleString('en'),
    at === null ? 'never' : <When at={at} />,
  ];
}

function AddLink(): ReactNode {
  const mayWrite = useMay('proxy:write');
  if (!mayWrite) return null;
  return (
    <Link to="/upstreams" search={{ add: true }} className="button primary">
      Add an upstream
    </Link>
  );
}

function Filters(): ReactNode {
  const { name_contains: name = '', unhealthy } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <div className="filters">
      <NameSearch
        name={name}
        onName={(text) => void navigate({ search: (before) => ({ ...before, name_contains: text || undefined }) })}
      />
      <div className="chips">
        <Link
          to="/upstreams"
          search={({ unhealthy: _, ...rest }) => (unhealthy ? rest : { ...rest, unhealthy: true })}
          className={unhealthy ? 'chip' : 'chip add'}
        >
          Does not answer {unhealthy && <span aria-hidden="true">✕</span>}
        </Link>
      </div>
    </div>
  );
}

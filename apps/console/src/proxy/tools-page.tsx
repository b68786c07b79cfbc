import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import '../admin.css';
import { visible } from '../parts/hidden.ts';
import { List } from '../parts/list.tsx';
import { NameSearch } from '../parts/name-search.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Empty } from '../parts/states.tsx';
import { RefusedList, refusedOf } from './refused-list.tsx';
import { ToolSheet } from './tool-sheet.tsx';
import { ToolTable } from './tool-table.tsx';
import { toolsQuery } from './tools.ts';
import { upstreamsQuery } from './upstreams.ts';

const route = getRouteApi('/tools');

export function ToolsPage(): ReactNode {
  const { tool, ...search } = route.useSearch();
  const query = toolsQuery(search);
  const { data } = useInfiniteQuery(query);
  const isFiltered = Object.keys(search).length > 0;
  const isBare = !isFiltered && data?.pages[0]?.items.length === 0;
  return (
    <>
      <PageHead title="Tools" />
      {!isBare && <Filters />}
      <List
        of={query}
        empty={
          isFiltered ? (
            <Empty title={search.drifted ? 'No tool is held back.' : 'No tool matches.'}>
              <Link to="/tools" search={{}} className="button">
                Clear the filters
              </Link>
            </Empty>
          ) : (
            <Empty title="There are no tools yet.">
              <p className="muted">They come with an upstream.</p>
              <Link to="/upstreams" search={{}} className="button">
                Upstreams
              </Link>
            </Empty>
          )
        }
      >
        {(tools) => <ToolTable tools={tools} search={search} />}
      </List>
      <Refused upstream={search.upstream} />
      {tool !== undefined && <ToolSheet key={tool} qualified={tool} />}
    </>
  );
}

/** Of every upstream, or of the one that is filtered by. */
function Refused({ upstream }: { upstream: string | undefined }): ReactNode {
  const search = upstream === undefined ? {} : { name_contains: upstream };
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(upstreamsQuery(search));
  const refused = (data?.pages ?? [])
    .flatMap(({ items }) => items)
    .filter(([name]) => upstream === undefined || name === upstream)
    .flatMap(([name, each]) => refusedOf(name, each));
  return (
    <>
      <RefusedList refused={refused} isMany />
      {hasNextPage && (
        <button type="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show what was refused of more upstreams
        </button>
      )}
    </>
  );
}

function Filters(): ReactNode {
  const { name_contains: name = '', upstream, drifted } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <div className="filters">
      <NameSearch
        name={name}
        onName={(text) => void navigate({ search: (before) => ({ ...before, name_contains: text || undefined }) })}
      />
      <div className="chips">
        {upstream !== undefined && (
          <Link
            to="/tools"
            search={({ upstream: _, ...rest }) => rest}
            className="chip"
            aria-label={`Remove the filter Upstream: ${visible(upstream)}`}
          >
            Upstream: <Said text={upstream} /> <span aria-hidden="true">✕</span>
          </Link>
        )}
        <Link
          to="/tools"
          search={({ drifted: _, ...rest }) => (drifted ? rest : { ...rest, drifted: true })}
          className={drifted ? 'chip' : 'chip add'}
        >
          Held back {drifted && <span aria-hidden="true">✕</span>}
        </Link>
      </div>
    </div>
  );
}

import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, memo, type ReactNode, useState } from 'react';
import { visible } from '../parts/hidden.ts';
import { usd } from '../parts/money.ts';
import { Said } from '../parts/said.tsx';
import { Empty, Failed, Unread } from '../parts/states.tsx';
import { When } from '../parts/times.tsx';
import { download, entriesQuery, type Entry } from './entries.ts';
import { EntrySheet } from './entry-sheet.tsx';
import { chipsOf, type Field, FIELDS, isTime, queryOf, timeOf } from './filter.ts';

const route = getRouteApi('/audit');

interface Page {
  entries: Entry[];
}

export function AuditPage(): ReactNode {
  const search = route.useSearch();
  const filter = queryOf(search);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    entriesQuery(filter),
  );
  const entries = data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <>
      <h1>Audit log</h1>
      <Filters />
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : entries.length === 0 && !hasNextPage ? (
        <Empty title={Object.keys(filter).length === 0 ? 'Nothing is logged yet.' : 'No entries match.'}>
          {Object.keys(filter).length > 0 && (
            <Link to="/audit" search={{}} className="button">
              Clear the filters
            </Link>
          )}
        </Empty>
      ) : (
        <>
          <Entries pages={data.pages} />
          {hasNextPage && (
            <button type="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              Show older ones
            </button>
          )}
        </>
      )}
      {search.entry !== undefined && <EntrySheet key={search.entry} id={search.entry} entries={entries} />}
    </>
  );
}

function Entries({ pages }: { pages: readonly Page[] }): ReactNode {
  return (
    <div className="scrolls">
      <table className="log entries">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Agent</th>
            <th scope="col">Action</th>
            <th scope="col">Tool</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        {pages.map((page) => (
          <PageRows key={page.entries[0]?.entry_id ?? ''} entries={page.entries} />
        ))}
      </table>
    </div>
  );
}

/** What was read before is not made again when older ones come. */
const PageRows = memo(function PageRows({ entries }: Page): ReactNode {
  return (
    <tbody>
      {entries.map(({ entry_id: id, timestamp, agent_id: agent, tool, action, cost_usd: cost, flagged }) => (
        <tr key={id}>
          <td>
            <Link to="/audit" search={(before) => ({ ...before, entry: id })} resetScroll={false}>
              <When at={timestamp} />
            </Link>
          </td>
          <td>
            <Said text={agent} />
          </td>
          <td>
            <Said text={action} /> {flagged && <span className="flag">flagged</span>}
          </td>
          <td>
            <Said text={tool} />
          </td>
          <td>{cost === 0 ? '' : usd(cost)}</td>
        </tr>
      ))}
    </tbody>
  );
});

function Filters(): ReactNode {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [field, setField] = useState<Field>('agent_id');
  const [value, setValue] = useState('');
  const exporting = useMutation({ mutationFn: (format: 'jsonl' | 'csv') => download(queryOf(search), format) });
  const add = (event: FormEvent): void => {
    event.preventDefault();
    const wanted = isTime(field) ? timeOf(value) : value.trim();
    if (wanted === null || wanted === '') return;
    void navigate({ search: (before) => ({ ...before, [field]: wanted, entry: undefined }) });
    setValue('');
  };
  return (
    <div className="filters">
      <form onSubmit={add}>
        <select
          aria-label="Filter by"
          value={field}
          onChange={({ target }) => {
            setField(target.value as Field);
            setValue('');
          }}
        >
          {Object.entries(FIELDS).map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
        <input
          type={isTime(field) ? 'datetime-local' : 'text'}
          aria-label="What it is"
          autoComplete="off"
          value={value}
          onChange={({ target }) => setValue(target.value)}
        />
        <button type="submit">Add filter</button>
      </form>
      <div className="chips">
        {chipsOf(search).map(({ text, without }) => (
          <Link
            key={text}
            to="/audit"
            search={without}
            activeOptions={{ exact: true }}
            className="chip"
            aria-label={`Remove the filter ${visible(text)}`}
          >
            <Said text={text} /> <span aria-hidden="true">✕</span>
          </Link>
        ))}
        {search.flagged === undefined && (
          <Link to="/audit" search={(before) => ({ ...before, flagged: true })} className="chip add">
            Flagged only
          </Link>
        )}
        {(['jsonl', 'csv'] as const).map((format) => (
          <button
            key={format}
            type="button"
            className="quiet"
            disabled={exporting.isPending}
            onClick={() => exporting.mutate(format)}
          >
            Export {format === 'csv' ? 'CSV' : 'JSON Lines'}
          </button>
        ))}
      </div>
      {exporting.isError && <Failed error={exporting.error} again={() => exporting.reset()} />}
    </div>
  );
}

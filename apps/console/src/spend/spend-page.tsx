import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode } from 'react';
import '../admin.css';
import '../views.css';
import { serverSeconds } from '../api/server-clock.ts';
import { FilterChip } from '../parts/filter-chip.tsx';
import { visible } from '../parts/hidden.ts';
import { usd } from '../parts/money.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { saveFile } from '../parts/save.ts';
import { Empty, Unread } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { colourOf, DayBars } from './day-bars.tsx';
import './spend.css';
import { type SpendSearch } from './search.ts';
import { type By, everyDay, lastDays, OTHERS, type Spend, spendCsv, spendQuery } from './spend.ts';

const route = getRouteApi('/spend');

const RANGES = [7, 30, 90];
const NOUN: Record<By, string> = { agent: 'Agent', tool: 'Tool' };

export function SpendPage(): ReactNode {
  const search = route.useSearch();
  const { by = 'agent' } = search;
  const asked = { agent: useQuery(spendQuery(search, 'agent')), tool: useQuery(spendQuery(search, 'tool')) };
  const [agents, tools] = [asked.agent.data, asked.tool.data];
  const error = asked.agent.error ?? asked.tool.error;
  return (
    <>
      <PageHead title="Spend">
        {agents && tools && agents.count > 0 && (
          <button type="button" onClick={() => save(by === 'agent' ? agents : tools)}>
            CSV
          </button>
        )}
      </PageHead>
      <Period search={search} shown={agents} />
      {agents === undefined || tools === undefined ? (
        <Unread error={error} again={() => Promise.all([asked.agent.refetch(), asked.tool.refetch()])} />
      ) : agents.count === 0 ? (
        <Empty title="No spend recorded.">
          <p className="muted">
            What agents pay through Haldir, and calls of tools that have a price, from {agents.from} to {agents.to}.
          </p>
        </Empty>
      ) : (
        <>
          <p className="total">
            <strong>{usd(agents.total_usd)}</strong>{' '}
            <span className="muted">
              in {agents.count === 1 ? '1 payment' : `${agents.count.toLocaleString('en')} payments`}, {agents.from} to{' '}
              {agents.to} (UTC days)
            </span>
          </p>
          <Chart of={by === 'agent' ? agents : tools} />
          <div className="pair">
            {[agents, tools].map((each) => (
              <Totals key={each.by} of={each} />
            ))}
          </div>
        </>
      )}
    </>
  );
}

function save(of: Spend): void {
  saveFile(`haldir-spend-${of.from}-${of.to}.csv`, new Blob([spendCsv(of)], { type: 'text/csv' }));
}

function Period({ search, shown }: { search: SpendSearch; shown: Spend | undefined }): ReactNode {
  const navigate = route.useNavigate();
  const { agent_id: agent } = search;
  const choose = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const day = (name: string): string | undefined => {
      const value = form.get(name);
      return typeof value === 'string' && value !== '' ? value : undefined;
    };
    void navigate({ search: (before) => ({ ...before, from: day('from'), to: day('to') }) });
  };
  return (
    <div className="filters">
      <nav className="tabs" aria-label="By time">
        {RANGES.map((days) => {
          const period = days === 7 ? { from: undefined, to: undefined } : lastDays(days, serverSeconds());
          return (
            <Link
              key={days}
              from="/spend"
              to="/spend"
              search={(before) => ({ ...before, ...period })}
              activeOptions={{ exact: true }}
            >
              {days} days
            </Link>
          );
        })}
      </nav>
      <form key={`${shown?.from} ${shown?.to}`} onSubmit={choose} aria-label="Period">
        <label className="inline-label">
          From <input type="date" name="from" required defaultValue={search.from ?? shown?.from} />
        </label>
        <label className="inline-label">
          to <input type="date" name="to" required defaultValue={search.to ?? shown?.to} />
        </label>
        <button type="submit">Show</button>
      </form>
      {agent !== undefined && (
        <div className="chips">
          <FilterChip name="agent_id" label={`Agent: ${visible(agent)}`}>
            Agent: <Said text={agent} />
          </FilterChip>
        </div>
      )}
    </div>
  );
}

function Chart({ of }: { of: Spend }): ReactNode {
  const days = everyDay(of);
  return (
    <section aria-labelledby="by-day">
      <div className="section-head">
        <h2 id="by-day">By day</h2>
        <nav className="tabs" aria-label="Divided by">
          {(['agent', 'tool'] as const).map((by) => (
            <Link
              key={by}
              from="/spend"
              to="/spend"
              search={(before) => ({ ...before, by: by === 'tool' ? by : undefined })}
              activeOptions={{ exact: true }}
            >
              {NOUN[by]}s
            </Link>
          ))}
        </nav>
      </div>
      <DayBars days={days} names={of.names} />
      <ul className="legend">
        {of.names.map(({ name }) => (
          <li key={name}>
            <span className={`swatch ${colourOf(of.names, name)}`} aria-hidden="true" />{' '}
            {name === null ? OTHERS : <Said text={name} />}
          </li>
        ))}
      </ul>
      <details>
        <summary>Show as table</summary>
        <DayTable of={of} />
      </details>
    </section>
  );
}

function DayTable({ of: { by, days, total_usd: all, count } }: { of: Spend }): ReactNode {
  return (
    <Table
      label={`Paid by day and ${by}`}
      heads={['Day', NOUN[by], { number: 'Payments' }, { number: 'Paid' }]}
      rows={days.flatMap(({ day, names }) =>
        names.map(({ name, total_usd: total, count: payments }) => ({
          key: `${day} ${name}`,
          cells: [day, name === null ? OTHERS : <Said text={name} />, payments.toLocaleString('en'), usd(total)],
        })),
      )}
      foot={['Total', '', count.toLocaleString('en'), usd(all)]}
    />
  );
}

function Totals({ of: { by, names, total_usd: all, count } }: { of: Spend }): ReactNode {
  return (
    <section>
      <h2>By {by}</h2>
      <Table
        label={`Paid by ${by}`}
        heads={[NOUN[by], { number: 'Payments' }, { number: 'Paid' }]}
        rows={names.map(({ name, total_usd: total, count: payments }) => ({
          key: String(name),
          cells: [<Name by={by} name={name} />, payments.toLocaleString('en'), usd(total)],
        }))}
        foot={['Total', count.toLocaleString('en'), usd(all)]}
      />
    </section>
  );
}

function Name({ by, name }: { by: By; name: string | null }): ReactNode {
  if (name === null) return OTHERS;
  if (by === 'tool') return name === 'haldir.vault' ? 'Payments that are no call of a tool' : <Said text={name} />;
  return (
    <Link to="/agents" search={{ agent: name }} className="row-link">
      <Said text={name} />
    </Link>
  );
}

import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import '../admin.css';
import { visible } from '../parts/hidden.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Attempts } from './attempts.tsx';
import { EVENTS } from './events.ts';
import { type DeliveriesSearch } from './search.ts';

const route = getRouteApi('/deliveries');
const FILTERS = { webhook_id: 'Webhook', event: 'Event', event_id: 'Event' } as const;

/** Every attempt to tell somebody of something. */
export function DeliveriesPage(): ReactNode {
  const search = route.useSearch();
  const isFiltered = Object.keys(search).length > 0;
  return (
    <>
      <PageHead title="Deliveries" />
      <Filters search={search} />
      <Attempts
        key={JSON.stringify(search)}
        search={search}
        empty={isFiltered ? 'No attempt matches.' : 'Nothing was sent yet.'}
        namesWebhook
      />
    </>
  );
}

function Filters({ search }: { search: DeliveriesSearch }): ReactNode {
  const navigate = route.useNavigate();
  const names = Object.keys(FILTERS) as (keyof typeof FILTERS)[];
  return (
    <div className="filters">
      <div className="chips">
        {names.map((name) => {
          const value = search[name];
          if (value === undefined || (name === 'event' && Object.hasOwn(EVENTS, value))) return null;
          return (
            <Link
              key={name}
              to="/deliveries"
              search={({ [name]: _, ...rest }) => rest}
              className="chip"
              aria-label={`Remove the filter ${FILTERS[name]}: ${visible(value)}`}
            >
              {FILTERS[name]}: <Said text={value} /> <span aria-hidden="true">✕</span>
            </Link>
          );
        })}
        <Link
          to="/deliveries"
          search={({ outcome, ...rest }) => (outcome === 'failed' ? rest : { ...rest, outcome: 'failed' as const })}
          className={search.outcome === 'failed' ? 'chip' : 'chip add'}
        >
          Failed only {search.outcome === 'failed' && <span aria-hidden="true">✕</span>}
        </Link>
        <select
          aria-label="Event"
          value={search.event ?? ''}
          onChange={({ target }) =>
            void navigate({
              search: ({ event: _, ...rest }) => (target.value ? { ...rest, event: target.value } : rest),
            })
          }
        >
          <option value="">All events</option>
          {[...Object.keys(EVENTS), 'webhook_test'].map((event) => (
            <option key={event}>{event}</option>
          ))}
        </select>
      </div>
    </div>
  );
}

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Refused } from '../parts/form.tsx';
import { Said } from '../parts/said.tsx';
import { Empty, Unread } from '../parts/states.tsx';
import { When } from '../parts/times.tsx';
import { Attempts } from './attempts.tsx';
import { ChangeWebhook } from './change-webhook.tsx';
import { Recover } from './recover.tsx';
import { Rotate } from './rotate.tsx';
import { Standing } from './standing.tsx';
import { change, DELIVERIES, remove, test, type Webhook, webhookQuery, WEBHOOKS } from './webhooks.ts';

const route = getRouteApi('/webhooks');

/** One webhook: how it is, what can be done with it, and what it was sent. */
export function WebhookPage({ id }: { id: string }): ReactNode {
  const { data, error, refetch } = useQuery(webhookQuery(id));
  return (
    <>
      <p className="back">
        <Link to="/webhooks" search={{}}>
          ← Webhooks
        </Link>
      </p>
      {data === undefined ? (
        <>
          <h1>Webhook</h1>
          <Unread error={error} again={refetch} />
        </>
      ) : data === null ? (
        <>
          <h1>Webhook</h1>
          <Empty title="There is no webhook of this number." />
        </>
      ) : (
        <Whole webhook={data} />
      )}
    </>
  );
}

function Whole({ webhook }: { webhook: Webhook }): ReactNode {
  const { webhook_id: id, name, url, events, created_at: at, secret_prev_expires_at: until } = webhook;
  const mayWrite = useMay('webhooks:write');
  return (
    <>
      <h1>
        <Said text={name === '' ? url : name} />
      </h1>
      <div className="facts">
        <div>
          <Standing webhook={webhook} />
        </div>
        <dl className="pairs">
          <dt>Address</dt>
          <dd>
            <Said text={url} />
          </dd>
          <dt>Hears of</dt>
          <dd>{events.includes('all') ? 'all events' : events.join(', ')}</dd>
          <dt>Since</dt>
          <dd>
            <When at={at} />
          </dd>
          {until !== null && (
            <>
              <dt>Two secrets sign</dt>
              <dd>
                until <When at={until} />
              </dd>
            </>
          )}
        </dl>
      </div>
      {mayWrite && <Actions webhook={webhook} />}
      <section>
        <h2>What it was sent</h2>
        <Attempts search={{ webhook_id: String(id) }} empty="It was not sent anything yet." />
      </section>
    </>
  );
}

function Actions({ webhook }: { webhook: Webhook }): ReactNode {
  const { webhook_id: id, active, name, url } = webhook;
  const navigate = route.useNavigate();
  const [open, setOpen] = useState<'change' | 'rotate' | 'delete' | null>(null);
  const testing = useChange(() => test(id), DELIVERIES);
  const switching = useChange(() => change(id, { active: !active }), WEBHOOKS);
  const removing = useChange(() => remove(id));
  return (
    <>
      <div className="actions">
        {active && (
          <button type="button" disabled={testing.isPending} onClick={() => testing.mutate()}>
            Send a test event
          </button>
        )}
        <button type="button" disabled={switching.isPending} onClick={() => switching.mutate()}>
          {active ? 'Pause' : 'Resume'}
        </button>
        <button type="button" onClick={() => setOpen('change')}>
          Change
        </button>
        <button type="button" onClick={() => setOpen('rotate')}>
          Rotate its secret
        </button>
        <button type="button" className="deny" onClick={() => setOpen('delete')}>
          Delete
        </button>
      </div>
      <div className="actions">
        <Recover webhook={webhook} />
      </div>
      <p role="status">{testing.isSuccess && 'A test event is on its way: its attempt is below in a moment.'}</p>
      <Refused error={testing.error ?? switching.error} />
      {open === 'change' && <ChangeWebhook webhook={webhook} onClosed={() => setOpen(null)} />}
      {open === 'rotate' && <Rotate id={id} onClosed={() => setOpen(null)} />}
      {open === 'delete' && (
        <Confirm
          title="Delete this webhook?"
          typed={name === '' ? String(id) : name}
          button="Delete it"
          act={async () => {
            await removing.mutateAsync();
            void navigate({ search: {}, replace: true });
          }}
          onClosed={() => setOpen(null)}
        >
          <p>
            Nothing is sent to <Said text={url} /> any more, not even what was waiting.
          </p>
        </Confirm>
      )}
    </>
  );
}

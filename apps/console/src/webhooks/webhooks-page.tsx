import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import '../admin.css';
import { useMay } from '../api/may.ts';
import { List } from '../parts/list.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Empty } from '../parts/states.tsx';
import { AddWebhook } from './add-webhook.tsx';
import { Recover } from './recover.tsx';
import { isTroubled, Standing } from './standing.tsx';
import { WebhookPage } from './webhook-page.tsx';
import { type Webhook, webhooksQuery } from './webhooks.ts';

const route = getRouteApi('/webhooks');

export function WebhooksPage(): ReactNode {
  const { webhook, add } = route.useSearch();
  if (add) return <AddWebhook />;
  return webhook === undefined ? <WebhookList /> : <WebhookPage key={webhook} id={webhook} />;
}

function WebhookList(): ReactNode {
  const { data } = useInfiniteQuery(webhooksQuery);
  const mayWrite = useMay('webhooks:write');
  const add = mayWrite && (
    <Link to="/webhooks" search={{ add: true }} className="button primary">
      Add a webhook
    </Link>
  );
  return (
    <>
      <PageHead title="Webhooks">{data?.pages[0]?.items.length !== 0 && add}</PageHead>
      <List
        of={webhooksQuery}
        empty={
          <Empty title="Nobody is told of anything yet.">
            <p className="muted">Add the address of a program of yours, and it is told when something waits.</p>
            {add}
          </Empty>
        }
      >
        {(webhooks) => (
          <ul className="rows">
            {webhooks.map((webhook) => (
              <Row key={webhook.webhook_id} webhook={webhook} mayWrite={mayWrite} />
            ))}
          </ul>
        )}
      </List>
    </>
  );
}

function Row({ webhook, mayWrite }: { webhook: Webhook; mayWrite: boolean }): ReactNode {
  const { webhook_id: id, name, url, events } = webhook;
  // What was resent is said there, once it works again.
  const [wasTroubled] = useState(isTroubled(webhook));
  return (
    <li className="policy">
      <div>
        <p>
          <Link to="/webhooks" search={{ webhook: String(id) }} className="row-link">
            <Said text={name === '' ? url : name} />
          </Link>
        </p>
        {name !== '' && (
          <p className="muted small-text">
            <Said text={url} />
          </p>
        )}
        <p className="muted small-text">{events.includes('all') ? 'All events' : events.join(', ')}</p>
        <div className="small-text standing">
          <Standing webhook={webhook} />
        </div>
      </div>
      <div className="actions">
        {mayWrite && (wasTroubled || isTroubled(webhook)) && <Recover webhook={webhook} />}
        <Link to="/deliveries" search={{ webhook_id: String(id) }} className="button small">
          Deliveries
        </Link>
      </div>
    </li>
  );
}

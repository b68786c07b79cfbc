import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Refused } from '../parts/form.tsx';
import { List } from '../parts/list.tsx';
import { Said } from '../parts/said.tsx';
import { Empty, Unread } from '../parts/states.tsx';
import { When } from '../parts/times.tsx';
import { Connect } from './connect.tsx';
import { Reachability } from './reachability.tsx';
import { RefusedList, refusedOf } from './refused-list.tsx';
import { ToolTable } from './tool-table.tsx';
import { TOOLS, toolsQuery } from './tools.ts';
import { UpstreamSettings } from './upstream-settings.tsx';
import { refresh, remove, type Upstream, upstreamQuery, UPSTREAMS } from './upstreams.ts';

const route = getRouteApi('/upstreams');

/** One upstream: whether it answers, its tools, and how an agent comes to them. */
export function UpstreamPage({ name }: { name: string }): ReactNode {
  const { data, error, refetch } = useQuery(upstreamQuery(name));
  return (
    <>
      <p className="back">
        <Link to="/upstreams" search={{}}>
          ← Upstreams
        </Link>
      </p>
      <h1>
        <Said text={name} />
      </h1>
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : data === null ? (
        <Empty title="There is no upstream of this name." />
      ) : (
        <Whole name={name} upstream={data} />
      )}
    </>
  );
}

function Whole({ name, upstream }: { name: string; upstream: Upstream }): ReactNode {
  const mayWrite = useMay('proxy:write');
  const { url, healthy, error, last_check: checked, total_calls: calls, connector } = upstream;
  return (
    <>
      <div className="facts">
        <p>
          <Reachability upstream={upstream} />
          {checked !== null && (
            <span className="muted">
              , asked last <When at={checked} />
            </span>
          )}
        </p>
        {!healthy && error !== undefined && <Said text={error} block />}
        <dl className="pairs">
          <dt>Address</dt>
          <dd>
            <Said text={url} />
          </dd>
          {connector && (
            <>
              <dt>Connectors</dt>
              <dd>{connector.instances} stand for it now</dd>
            </>
          )}
          <dt>Calls</dt>
          <dd>
            {calls.toLocaleString('en')}
            {calls > 0 &&
              `, ${upstream.avg_latency_ms.toLocaleString('en')} ms on average, ${upstream.total_errors.toLocaleString('en')} without an answer`}
          </dd>
          <Credentials upstream={upstream} />
        </dl>
      </div>
      {mayWrite && <Actions name={name} upstream={upstream} />}
      <Tools name={name} />
      <RefusedList refused={refusedOf(name, upstream)} />
      <Connect />
    </>
  );
}

function Credentials({ upstream: { headers, auth } }: { upstream: Upstream }): ReactNode {
  const names = Object.entries(headers);
  return (
    <>
      {names.length > 0 && (
        <>
          <dt>Headers</dt>
          <dd>
            {names.map(([name, value]) => (
              <div key={name}>
                <Said text={name} />: <Said text={value} />
              </div>
            ))}
          </dd>
        </>
      )}
      {auth && (
        <>
          <dt>Authorization</dt>
          <dd>
            OAuth 2.0 client <Said text={auth.client_id} /> at <Said text={auth.token_origin} />
          </dd>
        </>
      )}
    </>
  );
}

function Actions({ name, upstream }: { name: string; upstream: Upstream }): ReactNode {
  const navigate = route.useNavigate();
  const [open, setOpen] = useState<'settings' | 'delete' | null>(null);
  const asking = useChange(() => refresh(name), UPSTREAMS, TOOLS);
  const removing = useChange(() => remove(name), TOOLS, 'set-up');
  const { data: found } = asking;
  return (
    <>
      <div className="actions">
        <button type="button" disabled={asking.isPending} onClick={() => asking.mutate()}>
          {asking.isPending ? 'Asking…' : 'Test: ask for its tools'}
        </button>
        <button type="button" onClick={() => setOpen('settings')}>
          Change settings
        </button>
        <button type="button" className="deny" onClick={() => setOpen('delete')}>
          Delete
        </button>
      </div>
      <p role="status">
        {found &&
          (found.healthy
            ? `It answered, and has ${found.tools_discovered} ${found.tools_discovered === 1 ? 'tool' : 'tools'}.`
            : 'It did not answer as an MCP server does. The tools that it had stay known.')}
      </p>
      <Refused error={asking.error} />
      {open === 'settings' && <UpstreamSettings name={name} upstream={upstream} onClosed={() => setOpen(null)} />}
      {open === 'delete' && (
        <Confirm
          title="Delete this upstream?"
          typed={name}
          button="Delete it"
          act={async () => {
            await removing.mutateAsync();
            void navigate({ search: {}, replace: true });
          }}
          onClosed={() => setOpen(null)}
        >
          <p>
            Its tools go with it, with what was accepted of them and their prices. Calls that begin afterwards do not
            find them.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Tools({ name }: { name: string }): ReactNode {
  const search = { upstream: name };
  return (
    <section>
      <h2>Tools</h2>
      <List of={toolsQuery(search)} empty={<p className="muted">It has no tools that could be taken.</p>}>
        {(tools) => <ToolTable tools={tools} search={search} />}
      </List>
    </section>
  );
}

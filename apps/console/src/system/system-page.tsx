import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import '../admin.css';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Confirm } from '../parts/confirm.tsx';
import { TextField } from '../parts/form.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Unread } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { freezeAll, frozenQuery, statusQuery, SYSTEM, unfreezeAll } from './system.ts';

export function SystemPage(): ReactNode {
  return (
    <>
      <PageHead title="System" />
      <Status />
      <Freeze />
    </>
  );
}

/** What each part is, in words; by the names that the API gives them. */
const PARTS: Record<string, string> = {
  api: 'API process that answers',
  database: 'Database',
  migrations: 'Migrations',
  encryption_key: 'Encryption key',
  queue: 'Queue',
};

function Status(): ReactNode {
  const { data, error, refetch } = useQuery(statusQuery);
  if (data === undefined) return <Unread error={error} again={refetch} />;
  const { success_rate: rate, latency_seconds: latency } = data.metrics;
  const upTo = (seconds: number | null): string =>
    seconds === null ? 'not known' : `${(seconds * 1000).toLocaleString('en')} ms`;
  return (
    <>
      <p>
        {data.status === 'ok' ? (
          <StateMark is="good">This Haldir is ready.</StateMark>
        ) : (
          <StateMark is="wrong">This Haldir is not ready.</StateMark>
        )}{' '}
        <span className="muted">
          Version {data.version}, as of <When at={data.checked_at} />
        </span>
      </p>
      <section>
        <Table
          label="Parts"
          heads={['Part', 'State']}
          rows={data.components.map(({ name, state, message }) => ({
            key: name,
            cells: [
              PARTS[name] ?? <Said text={name} />,
              <StateMark is={state === 'ok' ? 'good' : 'wrong'}>
                <Said text={message} />
              </StateMark>,
            ],
          }))}
        />
        <p className="muted">
          The process that answered has served {rate.total.toLocaleString('en')} requests since it started,{' '}
          {rate.errors.toLocaleString('en')} of them with an error of its own. Half took up to {upTo(latency.p50)}, 95
          of 100 up to {upTo(latency.p95)}.
        </p>
      </section>
    </>
  );
}

/** Stops every agent at once, and lets them go on. */
function Freeze(): ReactNode {
  const { data: frozen, error, refetch } = useQuery(frozenQuery);
  const mayFreeze = useMay('admin:write');
  const [open, setOpen] = useState<'freeze' | 'unfreeze' | null>(null);
  const [reason, setReason] = useState('');
  const freezing = useChange(freezeAll, SYSTEM, 'agents', 'approvals', 'overview');
  const letting = useChange(() => unfreezeAll(), SYSTEM, 'agents', 'approvals', 'overview');
  return (
    <section>
      <h2>Every agent at once</h2>
      {frozen === undefined ? (
        <Unread error={error} again={refetch} />
      ) : frozen === null ? (
        <p className="muted">
          Agents may act. Freezing stops them all until somebody lets them go on: calls, payments and reads are refused,
          and what waits for approval is denied.
        </p>
      ) : (
        <p className="notice danger" role="status">
          Every agent is stopped since <When at={frozen.at} />: <Said text={frozen.reason} />
        </p>
      )}
      {mayFreeze && frozen !== undefined && (
        <div className="actions">
          <button type="button" className="deny" onClick={() => setOpen(frozen === null ? 'freeze' : 'unfreeze')}>
            {frozen === null ? 'Freeze every agent' : 'Let them go on'}
          </button>
        </div>
      )}
      {open === 'freeze' && (
        <Confirm
          title="Freeze every agent?"
          typed="freeze"
          button="Freeze every agent"
          act={() => freezing.mutateAsync(reason)}
          onClosed={() => setOpen(null)}
        >
          <p>All of them stop from their next step on, those to come included.</p>
          <TextField label="Reason" hint="It is logged." value={reason} onText={setReason} required maxLength={1000} />
        </Confirm>
      )}
      {open === 'unfreeze' && (
        <Confirm
          title="Let every agent go on?"
          button="Let them go on"
          act={() => letting.mutateAsync()}
          onClosed={() => setOpen(null)}
        >
          <p>An agent that was frozen by itself stays so.</p>
        </Confirm>
      )}
    </section>
  );
}

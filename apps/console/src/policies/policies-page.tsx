import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import '../admin.css';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Confirm } from '../parts/confirm.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Empty, Unread } from '../parts/states.tsx';
import { ChangePolicy } from './change-policy.tsx';
import { TEMPLATES } from './draft.ts';
import { type Policy, POLICIES, policiesQuery, remove } from './policies.ts';
import { Propose } from './propose.tsx';
import { Sentence } from './sentence.tsx';

const route = getRouteApi('/policies');

export function PoliciesPage(): ReactNode {
  const { propose, template } = route.useSearch();
  return propose ? <Propose key={template ?? ''} template={template} /> : <PolicyList />;
}

function PolicyList(): ReactNode {
  const { data, error, refetch } = useQuery(policiesQuery);
  const mayWrite = useMay('proxy:write');
  return (
    <>
      <PageHead title="Policies">
        {mayWrite && (
          <Link to="/policies" search={{ propose: true }} className="button primary">
            Propose a policy
          </Link>
        )}
      </PageHead>
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : data.length === 0 ? (
        <Empty title="There are no policies yet.">
          <p className="muted">Agents may call every tool that their keys and sessions let them.</p>
        </Empty>
      ) : (
        <ol className="rows policies">
          {data.map((policy) => (
            <Row key={policy.id} policy={policy} mayWrite={mayWrite} />
          ))}
        </ol>
      )}
      {mayWrite && data !== undefined && <Templates />}
    </>
  );
}

function Templates(): ReactNode {
  return (
    <section>
      <h2>Begin with</h2>
      <ul className="templates">
        {Object.entries(TEMPLATES).map(([name, { title, text }]) => (
          <li key={name}>
            <Link to="/policies" search={{ propose: true, template: name }}>
              <strong>{title}</strong>
              <span className="muted">{text}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Row({ policy, mayWrite }: { policy: Policy; mayWrite: boolean }): ReactNode {
  const [open, setOpen] = useState<'change' | 'delete' | null>(null);
  const removing = useChange(remove, POLICIES);
  const { id, mode, priority } = policy;
  return (
    <li className="policy">
      <div>
        <p>
          <Sentence policy={policy} />
        </p>
        <p className="tags muted">
          {mode === 'log_only' && <span className="flag quiet">logs only, refuses nothing</span>}
          {priority !== 0 && <span>priority {priority}</span>}
          <code>{id}</code>
        </p>
      </div>
      {mayWrite && (
        <div className="actions">
          <button type="button" className="small" onClick={() => setOpen('change')}>
            Change
          </button>
          <button type="button" className="small deny" onClick={() => setOpen('delete')}>
            Delete
          </button>
        </div>
      )}
      {open === 'change' && <ChangePolicy policy={policy} onClosed={() => setOpen(null)} />}
      {open === 'delete' && (
        <Confirm
          title="Delete this policy?"
          button="Delete it"
          act={() => removing.mutateAsync(id)}
          onClosed={() => setOpen(null)}
        >
          <p>
            <Sentence policy={policy} />
          </p>
          <p className="muted">Calls that begin afterwards are decided without it.</p>
        </Confirm>
      )}
    </li>
  );
}

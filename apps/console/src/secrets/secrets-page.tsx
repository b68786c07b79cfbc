import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import '../admin.css';
import '../views.css';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Refused } from '../parts/form.tsx';
import { visible } from '../parts/hidden.ts';
import { List } from '../parts/list.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { Bindings, End } from './secret-facts.tsx';
import { SecretView } from './secret-view.tsx';
import { deletedQuery, restoreSecret, SECRETS, secretsQuery } from './secrets.ts';
import { StoreDialog } from './store-dialog.tsx';

const route = getRouteApi('/secrets');

export function SecretsPage(): ReactNode {
  const { secret } = route.useSearch();
  return secret === undefined ? <Secrets /> : <SecretView key={secret} name={secret} />;
}

function Secrets(): ReactNode {
  const mayWrite = useMay('vault:write');
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead title="Secrets">
        {mayWrite && (
          <button type="button" className="primary" onClick={() => setAdding(true)}>
            Add a secret…
          </button>
        )}
      </PageHead>
      <List
        of={secretsQuery}
        empty={
          <Empty title="No secret is stored.">
            <p className="muted">
              What agents need and nobody has to see: they read it through a session, or have it put into a call by{' '}
              <code>{'{{vault:name}}'}</code>.
            </p>
          </Empty>
        }
      >
        {(secrets) => (
          <Table
            label="Secrets"
            heads={['Name', 'Scope', { number: 'Version' }, 'Stored', 'Ends', 'Put into calls of']}
            rows={secrets.map((secret) => ({
              key: secret.name,
              cells: [
                <Link to="/secrets" search={{ secret: secret.name }} className="row-link">
                  <Said text={secret.name} />
                </Link>,
                <code>{visible(secret.scope_required)}</code>,
                String(secret.version),
                <When at={secret.created_at} />,
                <End of={secret} />,
                <Bindings of={secret.bindings} />,
              ],
            }))}
          />
        )}
      </List>
      <Deleted />
      {isAdding && <StoreDialog secret={null} onClosed={() => setAdding(false)} />}
    </>
  );
}

function Deleted(): ReactNode {
  const mayWrite = useMay('vault:write');
  const restoring = useChange(restoreSecret, SECRETS);
  return (
    <List of={deletedQuery} empty={null}>
      {(deleted) => (
        <section>
          <h2>Deleted</h2>
          <Table
            label="Deleted secrets"
            heads={['Name', 'Deleted', 'Can be restored until', { actions: 'Actions' }]}
            rows={deleted.map(({ secret_id: id, name, deleted_at: at, restorable_until: until }) => ({
              key: id,
              cells: [
                <Said text={name} />,
                <When at={at} />,
                <When at={until} />,
                mayWrite && (
                  <button
                    type="button"
                    className="small"
                    aria-label={`Restore ${visible(name)}`}
                    disabled={restoring.isPending}
                    onClick={() => restoring.mutate(id)}
                  >
                    Restore
                  </button>
                ),
              ],
            }))}
          />
          <Refused error={restoring.error} />
        </section>
      )}
    </List>
  );
}

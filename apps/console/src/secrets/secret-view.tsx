import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Confirm } from '../parts/confirm.tsx';
import { visible } from '../parts/hidden.ts';
import { List } from '../parts/list.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Unread } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { Bindings, End } from './secret-facts.tsx';
import { deleteSecret, rollBack, type Secret, SECRETS, USES_READ, usesQuery, versionsQuery } from './secrets.ts';
import { StoreDialog } from './store-dialog.tsx';

const route = getRouteApi('/secrets');

type Version = Omit<Secret, 'name'> & { newest: boolean };
type Open = { kind: 'replace' | 'roll back'; version: Version } | { kind: 'delete' };

/** One secret: its versions, and who had it. Never its value. */
export function SecretView({ name }: { name: string }): ReactNode {
  const mayWrite = useMay('vault:write');
  const navigate = route.useNavigate();
  const [open, setOpen] = useState<Open | null>(null);
  const close = (): void => setOpen(null);
  const rolling = useChange(rollBack, SECRETS);
  return (
    <>
      <p className="back">
        <Link to="/secrets" search={{}}>
          ← Secrets
        </Link>
      </p>
      <PageHead title={<Said text={name} />} />
      <List of={versionsQuery(name)} empty={null}>
        {(versions) => {
          const newest = versions.find((version) => version.newest);
          return (
            <>
              {mayWrite && (
                <div className="actions">
                  {newest && (
                    <button type="button" onClick={() => setOpen({ kind: 'replace', version: newest })}>
                      Replace…
                    </button>
                  )}
                  <button type="button" className="deny" onClick={() => setOpen({ kind: 'delete' })}>
                    Delete…
                  </button>
                </div>
              )}
              <section>
                <h2>Versions</h2>
                <Table
                  label="Versions"
                  heads={['Version', 'Scope', 'Stored', 'Ends', 'Put into calls of', { actions: 'Actions' }]}
                  rows={versions.map((version) => ({
                    key: String(version.version),
                    cells: [
                      <>
                        {version.version} {version.newest && <StateMark is="good">newest</StateMark>}
                      </>,
                      <code>{visible(version.scope_required)}</code>,
                      <When at={version.created_at} />,
                      <End of={version} />,
                      <Bindings of={version.bindings} />,
                      mayWrite && !version.newest && !version.expired && (
                        <button
                          type="button"
                          className="small"
                          aria-label={`Roll back to version ${version.version}`}
                          onClick={() => setOpen({ kind: 'roll back', version })}
                        >
                          Roll back…
                        </button>
                      ),
                    ],
                  }))}
                />
              </section>
            </>
          );
        }}
      </List>
      <Uses name={name} />
      {open?.kind === 'replace' && <StoreDialog secret={{ name, ...open.version }} onClosed={close} />}
      {open?.kind === 'roll back' && (
        <Confirm
          title={`Roll back to version ${open.version.version}`}
          button="Roll back"
          act={() => rolling.mutateAsync({ name, version: open.version.version })}
          onClosed={close}
        >
          <p>Its value becomes the newest version again. Every version stays.</p>
        </Confirm>
      )}
      {open?.kind === 'delete' && (
        <DeleteDialog name={name} onDeleted={() => void navigate({ search: {} })} onClosed={close} />
      )}
    </>
  );
}

function DeleteDialog({
  name,
  onDeleted,
  onClosed,
}: {
  name: string;
  onDeleted: () => void;
  onClosed: () => void;
}): ReactNode {
  const deleting = useChange((gone: string) => deleteSecret(gone).then(onDeleted), SECRETS);
  return (
    <Confirm
      title="Delete the secret"
      typed={name}
      button="Delete"
      act={() => deleting.mutateAsync(name)}
      onClosed={onClosed}
    >
      <p>Nobody reads it from then on, in none of its versions. For a while it can be restored.</p>
    </Confirm>
  );
}

function Uses({ name }: { name: string }): ReactNode {
  const { data, error, refetch } = useQuery(usesQuery(name));
  return (
    <section>
      <h2>Who had it</h2>
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : data.length === 0 ? (
        <p className="muted">Nobody, in the last {USES_READ} entries of the vault.</p>
      ) : (
        <Table
          label="Who had it"
          heads={['When', 'Agent', 'How']}
          rows={data.map(({ entry_id: id, timestamp, agent_id: agent, action }) => ({
            key: id,
            cells: [
              <Link to="/audit" search={{ tool: 'haldir.vault', entry: id }}>
                <When at={timestamp} />
              </Link>,
              agent === '' ? (
                <span className="muted">no agent</span>
              ) : (
                <Link to="/agents" search={{ agent }} className="row-link">
                  <Said text={agent} />
                </Link>
              ),
              HOW[action] ?? action,
            ],
          }))}
        />
      )}
    </section>
  );
}

const HOW: Record<string, string> = {
  secret_read: 'Read the value',
  secret_used: 'Had it put into a call',
  secret_read_denied: 'Was refused it',
};

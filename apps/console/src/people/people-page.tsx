import { type ReactNode, useState } from 'react';
import '../admin.css';
import '../views.css';
import { useQuery } from '@tanstack/react-query';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { meQuery } from '../api/me.ts';
import { Confirm } from '../parts/confirm.tsx';
import { ChoiceField, TextField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { List } from '../parts/list.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { InvitedShown } from './invited-shown.tsx';
import { Own } from './own.tsx';
import { changeRole, invite, PEOPLE, peopleQuery, type Person, removePerson } from './people.ts';
import { type Role, ROLE_CHOICES, ROLES } from './roles.ts';

type Open = { kind: 'invite' } | { kind: 'role' | 'link' | 'remove'; person: Person };

export function PeoplePage(): ReactNode {
  const mayWrite = useMay('admin:write');
  const { data: me } = useQuery(meQuery);
  const [open, setOpen] = useState<Open | null>(null);
  const close = (): void => setOpen(null);
  const removing = useChange(removePerson, PEOPLE);
  return (
    <>
      <PageHead title="People & roles">
        {mayWrite && (
          <button type="button" className="primary" onClick={() => setOpen({ kind: 'invite' })}>
            Invite…
          </button>
        )}
      </PageHead>
      <List of={peopleQuery} empty={<Empty title="Nobody is invited yet." />}>
        {(people) => (
          <Table
            label="People"
            heads={['Person', 'Role', 'Came', { actions: 'Actions' }]}
            rows={people.map((person) => ({
              key: person.person_id,
              cells: [
                <>
                  <Said text={person.name || person.email} />
                  {person.person_id === me?.person.person_id && <span className="muted"> (you)</span>}
                  {person.name !== '' && (
                    <>
                      <br />
                      <span className="hint">
                        <Said text={person.email} />
                      </span>
                    </>
                  )}
                </>,
                person.role,
                person.signed_in_at === null ? <StateMark is="waits">invited</StateMark> : <When at={person.signed_in_at} />, // prettier-ignore
                mayWrite && (
                  <span className="actions-in-row">
                    {(['role', 'link', 'remove'] as const).map((kind) => (
                      <button
                        key={kind}
                        type="button"
                        className={kind === 'remove' ? 'small deny' : 'small'}
                        aria-label={`${BUTTONS[kind]} (${person.email})`}
                        onClick={() => setOpen({ kind, person })}
                      >
                        {BUTTONS[kind]}…
                      </button>
                    ))}
                  </span>
                ),
              ],
            }))}
          />
        )}
      </List>
      <Roles />
      <Own />
      {open?.kind === 'invite' && <InviteDialog onClosed={close} />}
      {open?.kind === 'role' && <RoleDialog of={open.person} onClosed={close} />}
      {open?.kind === 'link' && <LinkDialog of={open.person} onClosed={close} />}
      {open?.kind === 'remove' && (
        <Confirm
          title="Remove the person"
          typed={open.person.email}
          button="Remove"
          act={() => removing.mutateAsync(open.person)}
          onClosed={close}
        >
          <p>
            Everything of theirs ends at once: every sign-in, every passkey, and the link. Invited again, they are the
            same person in the log.
          </p>
        </Confirm>
      )}
    </>
  );
}

const BUTTONS = { role: 'Change role', link: 'New link', remove: 'Remove' } as const;

function Roles(): ReactNode {
  return (
    <section>
      <h2>Roles</h2>
      <Table
        label="Roles"
        heads={['Role', 'Is for', 'Scopes']}
        rows={Object.entries(ROLES).map(([role, { words, scopes }]) => ({
          key: role,
          cells: [
            role,
            words,
            <span className="scopes">
              {scopes.map((scope) => (
                <code key={scope}>{scope}</code>
              ))}
            </span>,
          ],
        }))}
      />
    </section>
  );
}

function InviteDialog({ onClosed }: { onClosed: () => void }): ReactNode {
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('approver');
  const inviting = useChange(invite, PEOPLE, 'set-up');
  return (
    <FormDialog
      title="Invite somebody"
      button="Make the link"
      act={async () => <InvitedShown of={await inviting.mutateAsync({ email, role, name })} />}
      onClosed={onClosed}
    >
      <TextField label="E-mail address" type="email" required maxLength={254} value={email} onText={setEmail} />
      <TextField label="Name" hint="May be left empty." maxLength={128} value={name} onText={setName} />
      <ChoiceField label="Role" choices={ROLE_CHOICES} value={role} onChoice={setRole} />
    </FormDialog>
  );
}

function RoleDialog({ of: person, onClosed }: { of: Person; onClosed: () => void }): ReactNode {
  const [role, setRole] = useState<Role>(person.role);
  const changing = useChange(changeRole, PEOPLE, 'me');
  return (
    <FormDialog
      title="Change the role"
      button="Change"
      act={() => changing.mutateAsync({ person_id: person.person_id, role })}
      onClosed={onClosed}
    >
      <p>
        Of <Said text={person.email} />, from their next request on.
      </p>
      <ChoiceField label="Role" choices={ROLE_CHOICES} value={role} onChoice={setRole} />
    </FormDialog>
  );
}

/** For somebody who has lost what they sign in with. */
function LinkDialog({ of: { email, role, name }, onClosed }: { of: Person; onClosed: () => void }): ReactNode {
  const inviting = useChange(invite, PEOPLE);
  return (
    <FormDialog
      title="Make another link"
      button="Make the link"
      act={async () => <InvitedShown of={await inviting.mutateAsync({ email, role, name })} />}
      onClosed={onClosed}
    >
      <p>
        It signs in <Said text={email} />, for who has lost what they sign in with. The link before ends.
      </p>
    </FormDialog>
  );
}

import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { AreaField, TextField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { Said } from '../parts/said.tsx';
import { type Secret, SECRETS, storeSecret } from './secrets.ts';

/** Takes a value, which nobody sees: not here while it is pasted, and in no answer. @param secret that gets a new version; null for a new one */
export function StoreDialog({ secret, onClosed }: { secret: Secret | null; onClosed: () => void }): ReactNode {
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [scope, setScope] = useState(secret?.scope_required ?? 'read');
  const storing = useChange(storeSecret, SECRETS);
  const act = (): Promise<unknown> =>
    storing.mutateAsync({
      name: secret?.name ?? name,
      value,
      scope_required: scope,
      // Another value may live as long as this one was to.
      expires_at: secret === null || secret.expired ? null : secret.expires_at,
    });
  return (
    <FormDialog
      title={
        secret === null ? (
          'Add a secret'
        ) : (
          <>
            Replace <Said text={secret.name} />
          </>
        )
      }
      button={secret === null ? 'Add' : 'Replace'}
      act={act}
      onClosed={onClosed}
    >
      {secret === null ? (
        <TextField label="Name" required maxLength={255} value={name} onText={setName} />
      ) : (
        <p>
          A new version: whoever reads the name gets it from then on. The versions before stay, to be rolled back to.
        </p>
      )}
      <AreaField
        label="Value"
        hint="Pasted, and not shown. No person reads it again: agents and programs do."
        required
        rows={3}
        className="short concealed"
        value={value}
        onText={setValue}
      />
      <TextField
        label="Scope that a session needs to read it"
        required
        maxLength={128}
        value={scope}
        onText={setScope}
      />
    </FormDialog>
  );
}

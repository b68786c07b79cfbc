import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { AreaField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { Said } from '../parts/said.tsx';
import { AGENTS, freeze } from './agents.ts';

/** Stops an agent, with a reason. */
export function FreezeDialog({ id, onClosed }: { id: string; onClosed: () => void }): ReactNode {
  const [reason, setReason] = useState('');
  const freezing = useChange(freeze, AGENTS, 'sessions', 'approvals');
  return (
    <FormDialog
      title={
        <>
          Freeze <Said text={id} />
        </>
      }
      button="Freeze"
      isDanger
      act={() => freezing.mutateAsync({ id, reason: reason.trim() })}
      onClosed={onClosed}
    >
      <p>
        Calls, payments and reads are refused from the next step on, everywhere, and what waits for approval is denied,
        until somebody unfreezes it.
      </p>
      <AreaField
        label="Reason"
        hint="For the log, for webhooks, and for whoever asks later."
        required
        maxLength={1000}
        rows={3}
        className="short"
        value={reason}
        onText={setReason}
      />
    </FormDialog>
  );
}

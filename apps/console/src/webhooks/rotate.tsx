import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { ChoiceField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { wholeTime } from '../parts/times.tsx';
import { Secret } from './add-webhook.tsx';
import { rotate, WEBHOOKS } from './webhooks.ts';

const GRACES = { '60': 'A minute', '3600': 'An hour', '86400': 'A day', '604800': 'A week' };

/** Makes a webhook another secret, and shows it once. */
export function Rotate({ id, onClosed }: { id: number; onClosed: () => void }): ReactNode {
  const [grace, setGrace] = useState<keyof typeof GRACES>('86400');
  const rotating = useChange(() => rotate(id, Number(grace)), WEBHOOKS);
  const send = async (): Promise<ReactNode> => {
    const { secret, secret_prev_expires_at: until } = await rotating.mutateAsync();
    return (
      <>
        <Secret secret={secret} />
        <p>The one of before signs, too, until {wholeTime(until)}.</p>
      </>
    );
  };
  return (
    <FormDialog title="Rotate its secret" button="Make a new secret" act={send} onClosed={onClosed}>
      <ChoiceField
        label="How long the one of before signs, too"
        hint="As long as your program needs to be given the new one."
        choices={GRACES}
        value={grace}
        onChoice={setGrace}
      />
    </FormDialog>
  );
}

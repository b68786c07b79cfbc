import { type FormEvent, type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ChoiceField, Refused } from '../parts/form.tsx';
import { wholeTime } from '../parts/times.tsx';
import { Secret } from './add-webhook.tsx';
import { rotate, WEBHOOKS } from './webhooks.ts';

const GRACES = { '60': 'A minute', '3600': 'An hour', '86400': 'A day', '604800': 'A week' };

/** Makes a webhook another secret, and shows it once. */
export function Rotate({ id, onClosed }: { id: number; onClosed: () => void }): ReactNode {
  const [grace, setGrace] = useState<keyof typeof GRACES>('86400');
  const rotating = useChange(() => rotate(id, Number(grace)), WEBHOOKS);
  const { data } = rotating;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    rotating.mutate();
  };
  return (
    <Dialog title="Rotate its secret" onClosed={onClosed}>
      {(close) =>
        data ? (
          <div className="form">
            <Secret secret={data.secret} />
            <p>The one of before signs, too, until {wholeTime(data.secret_prev_expires_at)}.</p>
            <div className="actions">
              <button type="button" className="primary" onClick={close}>
                I have it
              </button>
            </div>
          </div>
        ) : (
          <form className="form" onSubmit={submit}>
            <ChoiceField
              label="How long the one of before signs, too"
              hint="As long as your program needs to be given the new one."
              choices={GRACES}
              value={grace}
              onChoice={setGrace}
            />
            <Refused error={rotating.error} />
            <div className="actions">
              <button type="submit" className="primary" disabled={rotating.isPending}>
                Make a new secret
              </button>
              <button type="button" onClick={close}>
                Cancel
              </button>
            </div>
          </form>
        )
      }
    </Dialog>
  );
}

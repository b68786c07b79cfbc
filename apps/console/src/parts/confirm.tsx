import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { Refused, TextField } from './form.tsx';

/**
 * Asks before what cannot be undone.
 *
 * @param typed what has to be typed first, as the name of what is deleted
 * @param act what is done then; while it fails, the dialog says so
 */
export function Confirm({
  title,
  typed,
  button,
  act,
  onClosed,
  children,
}: {
  title: ReactNode;
  typed?: string;
  button: string;
  act: () => Promise<unknown>;
  onClosed: () => void;
  children: ReactNode;
}): ReactNode {
  const [text, setText] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  return (
    <Dialog title={title} onClosed={onClosed}>
      {(close) => {
        const submit = async (event: FormEvent): Promise<void> => {
          event.preventDefault();
          setBusy(true);
          setError(null);
          try {
            await act();
            close();
          } catch (refused) {
            setError(refused);
            setBusy(false);
          }
        };
        return (
          <form className="form" onSubmit={(event) => void submit(event)}>
            {children}
            {typed !== undefined && <TextField label={`Type ${typed} to go on`} value={text} onText={setText} />}
            <Refused error={error} />
            <div className="actions">
              <button type="submit" className="deny" disabled={isBusy || (typed !== undefined && text !== typed)}>
                {button}
              </button>
              <button type="button" onClick={close}>
                Cancel
              </button>
            </div>
          </form>
        );
      }}
    </Dialog>
  );
}

import { type FormEvent, isValidElement, type ReactNode, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { Refused } from './form.tsx';

/**
 * A form before the page.
 *
 * @param isReady whether it can be sent
 * @param act sends it. What it answers, if that is something to show, is shown in the place of the form: what is only there once. While it
 * fails, the dialog says so
 */
export function FormDialog({
  title,
  button,
  isDanger = false,
  isReady = true,
  act,
  onClosed,
  children,
}: {
  title: ReactNode;
  button: string;
  isDanger?: boolean;
  isReady?: boolean;
  act: () => Promise<unknown>;
  onClosed: () => void;
  children: ReactNode;
}): ReactNode {
  const [shown, show] = useState<ReactNode>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  return (
    <Dialog title={title} onClosed={onClosed}>
      {(close) => {
        if (shown !== null) {
          return (
            <div className="form">
              {shown}
              <div className="actions">
                <button type="button" className="primary" onClick={close}>
                  Done
                </button>
              </div>
            </div>
          );
        }
        const submit = async (event: FormEvent): Promise<void> => {
          event.preventDefault();
          setBusy(true);
          setError(null);
          try {
            const answer = await act();
            if (isValidElement(answer)) show(answer);
            else close();
          } catch (refused) {
            setError(refused);
          }
          setBusy(false);
        };
        return (
          <form className="form" onSubmit={(event) => void submit(event)}>
            {children}
            <Refused error={error} />
            <div className="actions">
              <button type="submit" className={isDanger ? 'deny' : 'primary'} disabled={isBusy || !isReady}>
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

import { type ReactNode, useEffect, useId, useRef } from 'react';

/**
 * A dialog that is open for as long as it is there. Once it is closed, the focus is where it was.
 *
 * @param kind beside the page, or before it
 * @param onClosed is to take it away
 * @param children what is in it, given what closes it
 */
export function Dialog({
  kind = 'modal',
  title,
  onClosed,
  children,
}: {
  kind?: 'modal' | 'sheet';
  title: ReactNode;
  onClosed: () => void;
  children: (close: () => void) => ReactNode;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const close = (): void => dialog.current?.close();
  return (
    <dialog ref={dialog} className={kind} onClose={onClosed} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" className="quiet" onClick={close} aria-label="Close">
          ✕
        </button>
      </header>
      {children(close)}
    </dialog>
  );
}

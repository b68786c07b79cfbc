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
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    if (kind === 'modal') dialog.current?.querySelector<HTMLElement>('form :is(input, select, textarea)')?.focus();
    // The browser gives the focus back, unless what had it is gone, or the dialog is taken away while it is open.
    return () => void setTimeout(() => focusAgain(opener));
  }, [kind]);
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

function focusAgain(opener: Element | null): void {
  if (document.activeElement !== document.body) return;
  const back = opener instanceof HTMLElement && opener.isConnected ? opener : document.getElementById('main');
  back?.focus();
}

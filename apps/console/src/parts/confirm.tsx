import { type ReactNode, useState } from 'react';
import { TextField } from './form.tsx';
import { FormDialog } from './form-dialog.tsx';
import { visible } from './hidden.ts';

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
  // What nobody sees is typed as it is shown.
  const isTyped = typed === undefined || text === typed || text === visible(typed);
  return (
    <FormDialog title={title} button={button} isDanger isReady={isTyped} act={act} onClosed={onClosed}>
      {children}
      {typed !== undefined && <TextField label={`Type ${visible(typed)} to go on`} value={text} onText={setText} />}
    </FormDialog>
  );
}

import { type ReactNode, useState } from 'react';
import { Said } from './said.tsx';

/** A text with a button that copies it. @param label what it is */
export function Copied({ label, text }: { label: string; text: string }): ReactNode {
  const [said, say] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      say('Copied');
    } catch {
      say('This browser does not copy: select it');
    }
  };
  return (
    <div className="copied">
      <div className="copied-head">
        <span className="muted">{label}</span>
        <span className="muted" role="status">
          {said}
        </span>
        <button type="button" className="small" onClick={() => void copy()} aria-label={`Copy: ${label}`}>
          Copy
        </button>
      </div>
      <Said text={text} block />
    </div>
  );
}

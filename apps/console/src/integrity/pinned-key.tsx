import { type FormEvent, type ReactNode, useState } from 'react';
import { Copied } from '../parts/copied.tsx';
import { TextField } from '../parts/form.tsx';
import { pinKey, usePinnedKey } from './pinned.ts';

/** The key against which this browser checks proofs: kept here, so that who serves the log cannot change it. */
export function PinnedKey({ served }: { served: string }): ReactNode {
  const pinned = usePinnedKey();
  const [text, setText] = useState('');
  if (pinned === null) {
    const submit = (event: FormEvent): void => {
      event.preventDefault();
      pinKey(text.trim());
    };
    return (
      <form className="form inline" onSubmit={submit}>
        <TextField
          label="Pin the key in this browser, as somebody you trust gave it to you"
          value={text}
          onText={setText}
          required
        />
        <button type="submit">Pin it</button>
        <button type="button" onClick={() => pinKey(served)}>
          Pin the one above
        </button>
      </form>
    );
  }
  return (
    <>
      {pinned === served ? (
        <p>It is the one that is pinned in this browser.</p>
      ) : (
        <>
          <p className="notice danger" role="alert">
            This is not the key that is pinned in this browser. Either that was pinned of another log, or what is served
            is not the log that it was.
          </p>
          <Copied label="Pinned in this browser" text={pinned} />
        </>
      )}
      <div className="actions">
        <button type="button" className="small" onClick={() => pinKey(null)}>
          Forget the pinned key
        </button>
      </div>
    </>
  );
}

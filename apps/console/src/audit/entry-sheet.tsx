import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef } from 'react';
import { readLossless } from '../parts/lossless-json.ts';
import { Said } from '../parts/said.tsx';
import { wholeTime } from '../parts/times.tsx';
import { Proof } from '../proof/proof.tsx';
import { type Entry } from './entries.ts';

const route = getRouteApi('/audit');

/** One entry, whole, beside the list that it is of. */
export function EntrySheet({ id, entries }: { id: string; entries: Entry[] }): ReactNode {
  const navigate = route.useNavigate();
  const sheet = useRef<HTMLDialogElement>(null);
  useEffect(() => sheet.current?.showModal(), []);
  const at = entries.findIndex(({ entry_id: each }) => each === id);
  const entry = entries[at];
  const close = (): void => void navigate({ search: ({ entry: _, ...rest }) => rest, resetScroll: false });
  return (
    <dialog ref={sheet} className="sheet" onClose={close} aria-label="Entry">
      <header>
        <h2>Entry {entry?.leaf_index ?? ''}</h2>
        <button type="button" className="quiet" onClick={() => sheet.current?.close()} aria-label="Close">
          ✕
        </button>
      </header>
      {entry ? <Whole entry={entry} /> : <p>This entry is not among those that are shown: show older ones.</p>}
      <nav className="neighbours" aria-label="Neighbours">
        {[['Newer', entries[at - 1]] as const, ['Older', at < 0 ? undefined : entries[at + 1]] as const].map(
          ([text, other]) =>
            other && (
              <Link
                key={text}
                to="/audit"
                search={(before) => ({ ...before, entry: other.entry_id })}
                replace
                resetScroll={false}
              >
                {text}: <Said text={other.action} />
              </Link>
            ),
        )}
      </nav>
    </dialog>
  );
}

function Whole({ entry }: { entry: Entry }): ReactNode {
  const { details, entry_hash: hash, prev_hash: before, timestamp, actor } = entry;
  return (
    <>
      <dl>
        <dt>When</dt>
        <dd>{wholeTime(timestamp)}</dd>
        <dt>Who acted</dt>
        <dd>
          <Said text={actor ?? 'not known'} />
        </dd>
        <dt>Hash of this entry</dt>
        <dd>
          <code>{hash}</code>
        </dd>
        <dt>Hash of the entry before</dt>
        <dd>
          <code>{before}</code>
        </dd>
      </dl>
      <Proof entry={entry} />
      {typeof details === 'string' && (
        <>
          <h3>Details</h3>
          <Said text={indented(details)} block />
        </>
      )}
      <details>
        <summary>As JSON</summary>
        <Said text={JSON.stringify(entry, null, 2)} block />
      </details>
    </>
  );
}

/** In lines, where that changes white space alone. */
function indented(details: string): string {
  const value = readLossless(details);
  return value === undefined ? details : JSON.stringify(value, null, 2);
}

import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { answered, api } from '../api/client.ts';
import { type Entry } from '../audit/entries.ts';
import { usePinnedKey } from '../integrity/pinned.ts';
import { Refused } from '../parts/form.tsx';
import { Said } from '../parts/said.tsx';
import { type ProofVerdict } from './check.ts';

async function check(entry: Entry, key: string): Promise<ProofVerdict> {
  const path = { entry_id: entry.entry_id };
  const [proof, { checkEntry }] = await Promise.all([
    answered(api.GET('/v1/audit/inclusion-proof/{entry_id}', { params: { path } })),
    import('./check.ts'),
  ]);
  return checkEntry(entry, proof, key);
}

/** Has this browser check that an entry is in the log, against the key that is pinned in it. */
export function Proof({ entry }: { entry: Entry }): ReactNode {
  const key = usePinnedKey();
  const checking = useMutation({ mutationFn: (what: { entry: Entry; key: string }) => check(what.entry, what.key) });
  const { variables, data: verdict } = checking;
  // The list is read again now and then, and a key can be pinned beside this: a verdict is of what was checked.
  const isOfThis = variables?.entry === entry && variables.key === key;
  if (key === null)
    return (
      <p className="muted">
        This browser can check that the entry is in the log. It takes the log’s key for that, pinned once under{' '}
        <Link to="/integrity">Integrity</Link>.
      </p>
    );
  return (
    <>
      <button type="button" disabled={checking.isPending} onClick={() => checking.mutate({ entry, key })}>
        Check its proof in this browser
      </button>
      <div aria-live="polite">{verdict && isOfThis && <Verdict verdict={verdict} />}</div>
      <Refused error={checking.error} />
    </>
  );
}

function Verdict({ verdict }: { verdict: ProofVerdict }): ReactNode {
  if (verdict.outcome === 'intact')
    return (
      <p className="notice good">
        It is in the log: its proof leads to the root of {verdict.entries.toLocaleString('en')} entries, which the
        pinned key signed. A proof holds neither details nor the name of who acted: an export does.
      </p>
    );
  return (
    <p className="notice danger" role="alert">
      {verdict.outcome === 'broken' ? 'The proof does not hold: ' : 'It cannot be checked: '}
      <Said text={verdict.reason} />.
    </p>
  );
}

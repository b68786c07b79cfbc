import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import '../admin.css';
import { Problem } from '../api/problem.ts';
import { download } from '../audit/entries.ts';
import { Copied } from '../parts/copied.tsx';
import { Refused } from '../parts/form.tsx';
import { List } from '../parts/list.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { saveFile } from '../parts/save.ts';
import { Empty, Unread } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { inUnits, When } from '../parts/times.tsx';
import {
  type Checkpoint,
  checkpointsQuery,
  headQuery,
  logKeyQuery,
  type LogVerdict,
  manifest,
  verifyLog,
} from './log.ts';
import { PinnedKey } from './pinned-key.tsx';

/** As docs/performance.md has it, about: for how long to expect it to take. */
const ENTRIES_A_SECOND = 10_000;

export function IntegrityPage(): ReactNode {
  return (
    <>
      <PageHead title="Integrity" />
      <Whole />
      <Evidence />
      <LogKey />
      <section>
        <h2>Checkpoints</h2>
        <p className="muted">
          Every state of the log that was signed. One that was kept elsewhere shows what is missing since.
        </p>
        <List of={checkpointsQuery} empty={<Empty title="Nothing was signed yet." />}>
          {(checkpoints) => (
            <Table
              label="Checkpoints"
              heads={['Signed', { number: 'Entries' }, 'Root']}
              rows={checkpoints.map((checkpoint) => ({
                key: String(checkpoint.tree_size),
                cells: cellsOf(checkpoint),
              }))}
            />
          )}
        </List>
      </section>
    </>
  );
}

function cellsOf({ signed_at: at, tree_size: size, root_hash: root }: Checkpoint): ReactNode[] {
  return [<When at={at} />, size.toLocaleString('en'), <code>{root}</code>];
}

/** The whole log, checked by Haldir when somebody asks. */
function Whole(): ReactNode {
  const { data: head, error, refetch } = useQuery(headQuery);
  const checking = useMutation({ mutationFn: verifyLog });
  if (head === undefined) return <Unread error={error} again={refetch} />;
  const { tree_size: size } = head;
  return (
    <>
      <p>
        {size === 0 ? 'The log is empty.' : `The log has ${size.toLocaleString('en')} entries.`}{' '}
        <span className="muted">
          Checked is every column of every entry, that each follows the one before, and that they are what was signed.
        </span>
      </p>
      <div className="actions">
        <button type="button" className="primary" disabled={checking.isPending} onClick={() => checking.mutate()}>
          Check the whole log
        </button>
      </div>
      <div aria-live="polite">
        {checking.isPending && (
          <>
            <progress aria-label="Checking the log" />
            <p className="muted">
              Checking {size.toLocaleString('en')} entries, which takes about{' '}
              {inUnits(Math.max(1, size / ENTRIES_A_SECOND))}.
            </p>
          </>
        )}
        {checking.data && <Verdict verdict={checking.data} />}
        {checking.isError && <CannotCheck error={checking.error} />}
      </div>
    </>
  );
}

function Verdict({ verdict }: { verdict: LogVerdict }): ReactNode {
  if (verdict.outcome === 'nothing_to_check')
    return (
      <div className="verdict">
        <strong>Nothing to check</strong>
        <p>The log is empty, so nothing in it is right or wrong.</p>
      </div>
    );
  if (verdict.outcome === 'intact') {
    const entries = verdict.entries.toLocaleString('en');
    return (
      <div className="verdict intact">
        <strong>
          Intact: {entries} of {entries} entries
        </strong>
        <p>Each is as it was written, and in its place.</p>
      </div>
    );
  }
  const { at, checked, reason } = verdict;
  return (
    <div className="verdict broken" role="alert">
      <strong>Broken at entry {at.toLocaleString('en')}</strong>
      <p>
        {checked.toLocaleString('en')} entries were in order; then {reason}. Entries are counted from 0.
      </p>
      <p>
        Keep an export of it as it is now, and hold it against the checkpoints and exports of before.{' '}
        <Link to="/audit" search={{}}>
          Look at the log
        </Link>
      </p>
    </div>
  );
}

function CannotCheck({ error }: { error: unknown }): ReactNode {
  return (
    <div className="verdict broken" role="alert">
      <strong>Cannot check</strong>
      <p>
        {error instanceof Problem ? error.message : 'Something went wrong in this page.'} Nothing is known of the log by
        that, good or bad.
      </p>
    </div>
  );
}

/** What an auditor is given, and checks without this Haldir. */
function Evidence(): ReactNode {
  const saving = useMutation({
    mutationFn: async (format: 'jsonl' | 'csv' | 'manifest') => {
      if (format !== 'manifest') return download({}, format);
      const text = `${JSON.stringify(await manifest(), null, 2)}\n`;
      saveFile('haldir-audit-manifest.json', new Blob([text], { type: 'application/json' }));
    },
  });
  return (
    <section>
      <h2>Evidence</h2>
      <p className="muted">
        The whole log as JSON Lines ends with a signed manifest: <code>haldir audit verify</code> checks it anywhere,
        with the log’s key and without this Haldir.
      </p>
      <div className="actions">
        <button type="button" disabled={saving.isPending} onClick={() => saving.mutate('jsonl')}>
          Download the log (JSON Lines)
        </button>
        <button type="button" disabled={saving.isPending} onClick={() => saving.mutate('csv')}>
          As CSV
        </button>
        <button type="button" disabled={saving.isPending} onClick={() => saving.mutate('manifest')}>
          Manifest
        </button>
      </div>
      <p role="status">{saving.isPending && 'Getting it ready…'}</p>
      <Refused error={saving.error} />
    </section>
  );
}

function LogKey(): ReactNode {
  const { data, error, refetch } = useQuery(logKeyQuery);
  return (
    <section>
      <h2>The log’s key</h2>
      <p className="muted">
        It signs the checkpoints. Keep it where the log cannot reach: whoever checks needs it from somebody they trust.
      </p>
      {data === undefined ? (
        <Unread error={error} again={refetch} />
      ) : (
        <>
          <Copied label="Verifier key" text={data.verifier_key} />
          <PinnedKey served={data.verifier_key} />
        </>
      )}
    </section>
  );
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { may } from '../api/scopes.ts';
import { type Me, meQuery } from '../api/me.ts';
import { Problem } from '../api/problem.ts';
import { Said } from '../parts/said.tsx';
import { historyQuery } from './context.ts';
import { decide, type Decision } from './decide.ts';
import { type Terms } from './grant.ts';
import { type Approval, APPROVALS, pendingQuery } from './requests.ts';

interface Decided {
  request: Approval;
  isAllRead: boolean;
  /** What is approved beside it; null for nothing. */
  terms: Terms | null;
}

/** Always in sight: the decision, or what became of it. */
export function DecisionBar({ request, ...decided }: Decided): ReactNode {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return (
    <footer className="decision-bar" aria-label="Decision">
      {request.status !== 'pending' ? (
        <Outcome request={request} me={me} />
      ) : may(me, 'approvals:decide') ? (
        <Decide key={request.request_id} request={request} {...decided} />
      ) : (
        <p>You may read this. Whoever has the role approver, operator or owner decides.</p>
      )}
    </footer>
  );
}

/** The second of two clicks comes within this: it was meant for what was there before. */
const SETTLING_MS = 700;

/** Whether this has been shown long enough that a click is meant for it. */
function useSettled(): boolean {
  const [isSettled, settle] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => settle(true), SETTLING_MS);
    return () => clearTimeout(timer);
  }, []);
  return isSettled;
}

function Decide({ request, isAllRead, terms }: Decided): ReactNode {
  const client = useQueryClient();
  const [note, setNote] = useState('');
  const isSettled = useSettled();
  const deciding = useMutation({
    mutationFn: (decision: Decision) =>
      decide(request.request_id, decision, note.trim(), decision === 'approve' ? terms : null),
    onSuccess: () => client.invalidateQueries({ queryKey: APPROVALS }),
  });
  const isBusy = !isSettled || deciding.isPending;
  return (
    <>
      {deciding.isError && (
        <p className="notice danger" role="alert">
          {inWords(deciding.error)}
        </p>
      )}
      <label className="note">
        <span>Reason (may be left empty)</span>
        <input
          type="text"
          maxLength={1000}
          autoComplete="off"
          value={note}
          onChange={({ target }) => setNote(target.value)}
        />
      </label>
      <div className="buttons">
        <button
          type="button"
          className="approve"
          disabled={!isAllRead || isBusy}
          onClick={() => deciding.mutate('approve')}
        >
          Approve{terms !== null && ` ${terms.uses} ${terms.uses === 1 ? 'call' : 'calls'}`}
        </button>
        <button type="button" className="deny" disabled={isBusy} onClick={() => deciding.mutate('deny')}>
          Deny
        </button>
      </div>
    </>
  );
}

const UNSIGNED: Record<string, string> = {
  signature_required:
    'This request is approved by a person who signs with a passkey, and this browser has none. You can deny without.',
  no_passkey:
    'This request is approved with a passkey, and you have none yet: make one at /welcome. You can deny without.',
  signature_not_good:
    'Haldir did not take what was signed: it took too long, or another page of yours asked meanwhile. Decide again.',
};

function inWords(error: unknown): string {
  if (!(error instanceof Problem)) return 'Something went wrong in this page. Load it again.';
  if (error.code === 'self_approval')
    return 'You asked for this yourself, or opened the session of the agent: another person decides.';
  if (error.code === 'browser') return error.message;
  const said = UNSIGNED[error.code];
  if (said !== undefined) return said;
  if (error.status === 0) return `${error.message} Deciding again does no harm, whether or not the decision arrived.`;
  return error.message;
}

const WORDS: Record<string, string> = {
  approved: 'Approved',
  denied: 'Denied',
  expired: 'Expired: the call was not run. The agent can ask again',
};

function Outcome({ request, me }: { request: Approval; me: Me }): ReactNode {
  const said = useRef<HTMLParagraphElement>(null);
  useEffect(() => said.current?.focus(), []);
  const { data: history } = useQuery(historyQuery(request));
  const entry = history?.find(({ entry: { action } }) => action === `approval_${request.status}`)?.entry;
  const isMine = request.decided_key === me.person.person_id;
  const who = entry?.actor ?? request.decided_key;
  return (
    <>
      <p className={`outcome ${request.status}`} role="status" tabIndex={-1} ref={said}>
        <strong>{WORDS[request.status] ?? request.status}</strong>
        {isMine
          ? ' by you'
          : who !== null &&
            who !== undefined &&
            request.status !== 'expired' && (
              <>
                {' by '}
                <Said text={who.replace(/^person:/, '')} />
              </>
            )}
        {request.consumed ? '. Its call was let through.' : '.'}
        {request.decision_note && (
          <>
            {' '}
            <Said text={request.decision_note} />
          </>
        )}
      </p>
      <Next after={request.request_id} />
    </>
  );
}

/** The one that waits next. */
function Next({ after }: { after: string }): ReactNode {
  const { data, isError } = useQuery(pendingQuery);
  const waiting = data?.requests.filter(({ request_id: id }) => id !== after) ?? [];
  const [next] = waiting;
  if (!next)
    return (
      <Link to="/approvals" search={{}} className="button">
        {data === undefined || isError ? 'To what waits' : 'No one else is waiting'}
      </Link>
    );
  return (
    <Link to="/approvals" search={{ request: next.request_id }} className="button primary">
      Next of {waiting.length}
      {data?.more && '+'} that wait{waiting.length === 1 ? 's' : ''}
    </Link>
  );
}

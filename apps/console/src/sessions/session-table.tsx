import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Confirm } from '../parts/confirm.tsx';
import { visible } from '../parts/hidden.ts';
import { Meter } from '../parts/meter.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { type Head, Table } from '../parts/table.tsx';
import { Countdown, When } from '../parts/times.tsx';
import { revoke, type Session, SESSIONS } from './sessions.ts';

/** @param isOfOneAgent whose name stands above them */
export function SessionTable({
  sessions,
  isOfOneAgent = false,
}: {
  sessions: readonly Session[];
  isOfOneAgent?: boolean;
}): ReactNode {
  const mayRevoke = useMay('sessions:write');
  const [revoked, setRevoked] = useState<Session | null>(null);
  const revoking = useChange(revoke, SESSIONS, 'agents');
  const heads: Head[] = [isOfOneAgent ? 'Opened' : 'Agent', 'Scopes', 'Spent', 'Ends', { actions: 'Actions' }];
  return (
    <>
      <Table
        label="Sessions"
        heads={heads}
        rows={sessions.map((session) => ({
          key: session.session_id,
          cells: [
            isOfOneAgent ? (
              <When at={session.created_at} />
            ) : (
              <>
                <Link to="/agents" search={{ agent: session.agent_id }} className="row-link">
                  <Said text={session.agent_id} />
                </Link>
                <br />
                <span className="hint">
                  opened <When at={session.created_at} />
                </span>
              </>
            ),
            <Scopes of={session.scopes} />,
            <Meter spent={session.spent} held={session.held + session.delegated} limit={session.spend_limit} />,
            <End of={session} />,
            <>
              <Link to="/audit" search={inLog(session)} className="button small">
                Audit
              </Link>
              {mayRevoke && session.status === 'active' && (
                <button
                  type="button"
                  className="small deny"
                  aria-label={`Revoke a session of ${visible(session.agent_id)}`}
                  onClick={() => setRevoked(session)}
                >
                  Revoke…
                </button>
              )}
            </>,
          ],
        }))}
      />
      {revoked && (
        <Confirm
          title="Revoke the session"
          typed={revoked.agent_id}
          button="Revoke"
          act={() => revoking.mutateAsync(revoked)}
          onClosed={() => setRevoked(null)}
        >
          <p>
            It ends at the next step, everywhere. Where an agent key opened it, the agent is frozen until somebody
            unfreezes it: a revocation is not undone by its next request.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Scopes({ of: scopes }: { of: readonly string[] }): ReactNode {
  if (scopes.length === 0) return <span className="muted">none</span>;
  return (
    <span className="scopes">
      {scopes.map((scope) => (
        <code key={scope}>{visible(scope)}</code>
      ))}
    </span>
  );
}

function End({ of: { status, expires_at: end } }: { of: Session }): ReactNode {
  if (status === 'active') return <Countdown until={end} />;
  if (status === 'revoked') return <StateMark is="wrong">Revoked</StateMark>;
  return (
    <StateMark is="off">
      <When at={end} />
    </StateMark>
  );
}

/** What its agent did while it was there. Its id is no filter: it lets in whoever has it. */
function inLog({ agent_id, created_at: begin, expires_at: end, status }: Session) {
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19) + 'Z';
  return { agent_id, since: iso(begin), ...(status === 'expired' && { until: iso(Math.ceil(end)) }) };
}

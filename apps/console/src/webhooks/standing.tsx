import { useQuery } from '@tanstack/react-query';
import { type ReactNode } from 'react';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { When } from '../parts/times.tsx';
import { type Attempt, lastFailureQuery, type Webhook } from './webhooks.ts';

/** Whether a webhook has missed something, as far as its own state says so. */
export function isTroubled({ active, disabled_reason: reason, failing_since: since }: Webhook): boolean {
  return since !== null || (!active && reason !== 'requested');
}

/** How a webhook is, and why. */
export function Standing({ webhook }: { webhook: Webhook }): ReactNode {
  const { active, disabled_reason: reason, failing_since: since, paused_until: until } = webhook;
  if (!active && reason === 'requested') return <StateMark is="off">Paused; its events are kept</StateMark>;
  return (
    <>
      {!active ? (
        <StateMark is="wrong">
          Switched off: {reason === 'gone' ? 'it answered that it is gone (410)' : 'it failed for five days'}
        </StateMark>
      ) : since === null ? (
        <StateMark is="good">Works</StateMark>
      ) : (
        <StateMark is="wrong">
          Fails since <When at={since} />
          {until !== null && (
            <>
              ; sent nothing until <When at={until} />
            </>
          )}
        </StateMark>
      )}
      {isTroubled(webhook) && <LastFailure id={webhook.webhook_id} />}
    </>
  );
}

function LastFailure({ id }: { id: number }): ReactNode {
  const { data } = useQuery(lastFailureQuery(id));
  if (!data) return null;
  return (
    <div className="muted">
      Last: <Outcome attempt={data} />
    </div>
  );
}

/** What an endpoint answered, or why it did not. */
export function Outcome({ attempt: { status_code: code, error } }: { attempt: Attempt }): ReactNode {
  return (
    <>
      {code !== null && `HTTP ${code}`}
      {code !== null && error !== null && ', '}
      {error !== null && <Said text={error.replaceAll('_', ' ')} />}
    </>
  );
}

import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Refused } from '../parts/form.tsx';
import { List } from '../parts/list.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { type DeliveriesSearch } from './search.ts';
import { Outcome } from './standing.tsx';
import { type Attempt, DELIVERIES, deliveriesQuery, resend } from './webhooks.ts';

/** What was sent to webhooks, newest first. @param empty said where there is nothing */
export function Attempts({
  search,
  empty,
  namesWebhook = false,
}: {
  search: DeliveriesSearch;
  empty: string;
  namesWebhook?: boolean;
}): ReactNode {
  const mayWrite = useMay('webhooks:write');
  const resending = useChange(resend, DELIVERIES);
  const again = (attempt: Attempt): ReactNode => (
    <button
      type="button"
      className="small"
      disabled={resending.isPending}
      onClick={() => resending.mutate(attempt.id)}
      aria-label={`Resend ${attempt.event}, attempt ${attempt.attempt}`}
    >
      Resend
    </button>
  );
  return (
    <>
      <p role="status">{resending.isSuccess && 'It is sent again, now: its attempt appears in a moment.'}</p>
      <Refused error={resending.error} />
      <List of={deliveriesQuery(search)} empty={<Empty title={empty} />}>
        {(attempts) => (
          <Table
            label="Attempts"
            heads={[
              ...['When', 'Event', ...(namesWebhook ? ['Webhook'] : [])],
              ...[{ number: 'Attempt' }, 'Outcome', { number: 'Took' }],
              ...(mayWrite ? [{ actions: 'Actions' }] : []),
            ]}
            rows={attempts.map((attempt) => ({
              key: `${attempt.id} ${attempt.attempt} ${attempt.created_at}`,
              cells: [
                <When at={attempt.created_at} />,
                <Link to="/deliveries" search={{ event_id: attempt.event_id }}>
                  {attempt.event}
                </Link>,
                ...(namesWebhook
                  ? [
                      <Link to="/webhooks" search={{ webhook: String(attempt.webhook_id) }}>
                        <Said text={attempt.url} />
                      </Link>,
                    ]
                  : []),
                attempt.attempt,
                <Became attempt={attempt} />,
                `${attempt.duration_ms.toLocaleString('en')} ms`,
                ...(mayWrite ? [again(attempt)] : []),
              ],
            }))}
          />
        )}
      </List>
    </>
  );
}

function Became({ attempt }: { attempt: Attempt }): ReactNode {
  const { status, delivery_status: became, next_attempt_at: next } = attempt;
  return (
    <>
      <StateMark is={status === 'delivered' ? 'good' : 'wrong'}>
        <Outcome attempt={attempt} />
      </StateMark>
      {status === 'failed' && (
        <div className="muted">
          {next !== null ? (
            <>
              next try <When at={next} />
            </>
          ) : (
            { pending: 'to be tried again', delivered: 'delivered since', failed: 'given up', cancelled: 'cancelled' }[
              became
            ]
          )}
        </div>
      )}
    </>
  );
}

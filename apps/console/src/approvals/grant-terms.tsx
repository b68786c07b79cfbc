import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { useMay } from '../api/may.ts';
import { usd } from '../parts/money.ts';
import { Said } from '../parts/said.tsx';
import { firstTerms, previewQuery, type Terms, TIMES } from './grant.ts';
import { type Approval } from './requests.ts';

/**
 * What may be allowed beside the call: calls like it, instead of that one alone.
 *
 * @param terms null where nothing is
 */
export function GrantTerms({
  request,
  terms,
  onTerms,
}: {
  request: Approval;
  terms: Terms | null;
  onTerms: (terms: Terms | null) => void;
}): ReactNode {
  const mayDecide = useMay('approvals:decide');
  const names = request.grantable_arguments;
  if (names === null || !mayDecide) return null;
  return (
    <section className="grant">
      <h2>Calls like this one</h2>
      <label className="check">
        <input
          type="checkbox"
          checked={terms !== null}
          onChange={({ target }) => onTerms(target.checked ? firstTerms(request) : null)}
        />
        <span>Approve more of them than this one</span>
      </label>
      {terms !== null && (
        <>
          <div className="grant-terms">
            <label>
              <span>Calls in all, this one included</span>
              <input
                type="number"
                min={1}
                max={1000}
                value={terms.uses}
                onChange={({ target }) => onTerms({ ...terms, uses: target.valueAsNumber || 0 })}
              />
            </label>
            <label>
              <span>Within</span>
              <select value={terms.ttl} onChange={({ target }) => onTerms({ ...terms, ttl: Number(target.value) })}>
                {TIMES.map(([seconds, words]) => (
                  <option key={seconds} value={seconds}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
            <label>
              <span>USD in all (empty: none)</span>
              <input
                type="number"
                min={0}
                step="any"
                value={terms.total_amount ?? ''}
                onChange={({ target }) =>
                  onTerms({ ...terms, total_amount: target.value === '' ? null : target.valueAsNumber })
                }
              />
            </label>
          </div>
          {names.length > 0 && (
            <fieldset>
              <legend>Arguments that may be anything but a secret. All others stay as they are in this call</legend>
              {names.map((name) => (
                <label key={name} className="check">
                  <input
                    type="checkbox"
                    checked={terms.free_arguments?.includes(name) ?? false}
                    onChange={({ target }) => onTerms(withFree(terms, name, target.checked))}
                  />
                  <Said text={name} />
                </label>
              ))}
            </fieldset>
          )}
          <Preview requestId={request.request_id} terms={terms} />
        </>
      )}
    </section>
  );
}

function withFree(terms: Terms, name: string, isFree: boolean): Terms {
  const others = (terms.free_arguments ?? []).filter((each) => each !== name);
  return { ...terms, free_arguments: isFree ? [...others, name] : others };
}

/** The terms once they were left alone for a moment, so that not every key that is pressed is a question. */
function useSettled(terms: Terms): Terms {
  const [settled, settle] = useState(terms);
  useEffect(() => {
    const timer = setTimeout(() => settle(terms), 300);
    return () => clearTimeout(timer);
  }, [terms]);
  return settled;
}

function Preview({ requestId, terms }: { requestId: string; terms: Terms }): ReactNode {
  const asked = useSettled(terms);
  const { data, error } = useQuery(previewQuery(requestId, asked));
  if (error !== null)
    return (
      <p className="notice danger" role="alert">
        {error.message}
      </p>
    );
  if (data === undefined || asked !== terms) return <p className="muted">Looking at the last week…</p>;
  const { days, waited, alike, let_through: through } = data;
  return (
    <p className="muted" role="status">
      Of {waited.toLocaleString('en')} calls of this tool by this agent that waited in the last {days} days,{' '}
      {alike.toLocaleString('en')} {alike === 1 ? 'was' : 'were'} like this, and this would have let{' '}
      {through.toLocaleString('en')} through
      {terms.total_amount !== null && terms.total_amount !== undefined && <>, for {usd(terms.total_amount)} at most</>}.
      Any change of the tool, its price, a policy or a rule ends it.
    </p>
  );
}

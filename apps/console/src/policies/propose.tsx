import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { serverSeconds } from '../api/server-clock.ts';
import { AreaField, Refused } from '../parts/form.tsx';
import { Unread } from '../parts/states.tsx';
import { Difference } from './difference-table.tsx';
import { type Draft, draftOf, policyOf } from './draft.ts';
import { DraftFields } from './draft-fields.tsx';
import { add, type NewPolicy, POLICIES, policiesQuery, simulateWith } from './policies.ts';
import { Sentence } from './sentence.tsx';

const route = getRouteApi('/policies');

/** A policy that does not stand yet: what it is, what it would have done last week, and what has it stand. */
export function Propose({ template }: { template: string | undefined }): ReactNode {
  const { data: standing, error, refetch } = useQuery(policiesQuery);
  const [draft, setDraft] = useState<Draft>(() => draftOf(template));
  /** The policy as it is typed as JSON; null while it is typed in fields. */
  const [json, setJson] = useState<string | null>(null);
  const read = json === null ? { policy: policyOf(draft), fault: '' } : readJson(json);
  /** What was simulated: of anything else that is typed since, nothing is known. */
  const [tried, setTried] = useState('');
  const simulating = useChange((proposed: NewPolicy) => simulateWith(standing ?? [], proposed, serverSeconds()));
  const isTried = read.policy !== null && tried === JSON.stringify(read.policy) && simulating.data !== undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (read.policy === null) return;
    setTried(JSON.stringify(read.policy));
    simulating.mutate(read.policy);
  };
  return (
    <>
      <p className="back">
        <Link to="/policies" search={{}}>
          ← Policies
        </Link>
      </p>
      <h1>Propose a policy</h1>
      {standing === undefined ? (
        <Unread error={error} again={refetch} />
      ) : (
        <>
          <form className="form" onSubmit={submit}>
            {json === null ? (
              <DraftFields draft={draft} onDraft={(part) => setDraft({ ...draft, ...part })} />
            ) : (
              <AreaField
                label="The policy as JSON"
                hint="As the API takes it: POST /v1/proxy/policies."
                rows={12}
                value={json}
                onText={setJson}
              />
            )}
            <button
              type="button"
              className="small as-json"
              onClick={() => setJson(json === null ? JSON.stringify(policyOf(draft), null, 2) : null)}
            >
              {json === null ? 'Write it as JSON' : 'Back to the fields'}
            </button>
            {read.fault !== '' && (
              <p className="notice danger" role="alert">
                {read.fault}
              </p>
            )}
            {json === null && read.policy && (
              <p className="notice good">
                <Sentence policy={read.policy} />
              </p>
            )}
            <Refused error={simulating.error} />
            <div className="actions">
              <button
                type="submit"
                className={isTried ? '' : 'primary'}
                disabled={simulating.isPending || read.policy === null}
              >
                {simulating.isPending
                  ? 'Deciding the calls of last week again…'
                  : 'See what last week would have become'}
              </button>
            </div>
          </form>
          {isTried && read.policy && simulating.data && (
            <>
              <Difference simulated={simulating.data} />
              <SwitchOn policy={read.policy} />
            </>
          )}
        </>
      )}
    </>
  );
}

function SwitchOn({ policy }: { policy: NewPolicy }): ReactNode {
  const navigate = route.useNavigate();
  const adding = useChange(add, POLICIES);
  const begin = (mode: 'enforce' | 'log_only'): void =>
    adding.mutate({ ...policy, mode }, { onSuccess: () => void navigate({ search: {} }) });
  return (
    <>
      <Refused error={adding.error} />
      <div className="actions">
        <button type="button" className="primary" disabled={adding.isPending} onClick={() => begin('enforce')}>
          Switch it on
        </button>
        <button type="button" disabled={adding.isPending} onClick={() => begin('log_only')}>
          Only log what it would do
        </button>
      </div>
    </>
  );
}

function readJson(text: string): { policy: NewPolicy | null; fault: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { policy: null, fault: 'A policy is a JSON object.' };
    return { policy: value as NewPolicy, fault: '' };
  } catch {
    return { policy: null, fault: 'This is not JSON yet.' };
  }
}

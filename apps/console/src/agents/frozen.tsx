import { type ReactNode } from 'react';
import { useChange } from '../api/change.ts';
import { Refused } from '../parts/form.tsx';
import { Said } from '../parts/said.tsx';
import { When } from '../parts/times.tsx';
import { AGENTS, type Freeze, unfreeze } from './agents.ts';

/** Why an agent is stopped, and what lets it go on. @param id null for every agent @param mayEnd whether they may be let go on */
export function Frozen({ id, by, mayEnd }: { id: string | null; by: Freeze; mayEnd: boolean }): ReactNode {
  const ending = useChange(unfreeze, AGENTS);
  return (
    <div className="notice danger frozen">
      <p>
        <strong>{id === null ? 'Every agent is frozen.' : 'Frozen.'}</strong> <Said text={by.reason} />
        <br />
        <span className="hint">
          By <Said text={by.by} />, <When at={by.at} />
        </span>
      </p>
      {mayEnd && (
        <button type="button" disabled={ending.isPending} onClick={() => ending.mutate(id)}>
          {id === null ? 'Unfreeze all' : 'Unfreeze'}
        </button>
      )}
      <Refused error={ending.error} />
    </div>
  );
}

import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Table } from '../parts/table.tsx';
import { When, wholeTime } from '../parts/times.tsx';
import { differenceOf, type Verdict } from './difference.ts';
import { MOST_NAMED, type Simulated } from './policies.ts';

const SHOWN = 100;
const VERDICTS: Verdict[] = ['allowed', 'held', 'blocked'];
const MARKS = { allowed: 'good', held: 'waits', blocked: 'wrong' } as const;

/** What a proposal would have made of the calls of last week. */
export function Difference({ simulated }: { simulated: { without: Simulated; with: Simulated } }): ReactNode {
  const { without, with: withIt } = simulated;
  const calls = differenceOf(simulated);
  const isWhole = [without, withIt].every(({ changes }) => changes <= MOST_NAMED);
  return (
    <section aria-live="polite">
      <h2>The last seven days, decided again</h2>
      {withIt.calls === 0 ? (
        <p>No call was made in the last seven days, so it would have changed nothing.</p>
      ) : (
        <>
          <p>
            {calls.length === 0 && isWhole
              ? `None of the ${withIt.calls.toLocaleString('en')} calls would have been decided otherwise.`
              : `${calls.length.toLocaleString('en')}${isWhole ? '' : ' or more'} of ${withIt.calls.toLocaleString('en')} calls would have been decided otherwise.`}
          </p>
          <ul className="outcomes">
            {VERDICTS.map((verdict) => (
              <li key={verdict}>
                <strong>
                  {without.verdicts[verdict].toLocaleString('en')} → {withIt.verdicts[verdict].toLocaleString('en')}
                </strong>
                {verdict}
              </li>
            ))}
          </ul>
        </>
      )}
      {withIt.verdicts.undecidable > 0 && (
        <p className="hint">
          Of {withIt.verdicts.undecidable.toLocaleString('en')} calls the log does not say enough to decide them again.
        </p>
      )}
      {withIt.truncated && withIt.covered_until !== undefined && (
        <p className="hint">There were more calls than are decided at once: up to {wholeTime(withIt.covered_until)}.</p>
      )}
      {calls.length > 0 && (
        <Table
          label="Calls that would have been decided otherwise"
          heads={['When', 'Agent', 'Tool', 'Without it', 'With it']}
          rows={calls.slice(0, SHOWN).map((call) => ({
            key: call.entryId,
            cells: [
              <Link to="/audit" search={{ tool: call.tool, agent_id: call.agent, entry: call.entryId }}>
                <When at={call.at} />
              </Link>,
              <Said text={call.agent} />,
              <Said text={call.tool} />,
              <StateMark is={MARKS[call.was]}>{call.was}</StateMark>,
              <>
                <StateMark is={MARKS[call.wouldBe]}>{call.wouldBe}</StateMark>
                {call.reason !== '' && <div className="muted">{call.reason}</div>}
              </>,
            ],
          }))}
        />
      )}
      {calls.length > SHOWN && <p className="hint">The first {SHOWN} are shown.</p>}
    </section>
  );
}

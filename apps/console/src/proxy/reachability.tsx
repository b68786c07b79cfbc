import { type ReactNode } from 'react';
import { StateMark } from '../parts/state-mark.tsx';
import { When } from '../parts/times.tsx';
import { type Upstream } from './upstreams.ts';

/** Whether calls go to an upstream, and whether it answered when it was asked last. */
export function Reachability({ upstream }: { upstream: Upstream }): ReactNode {
  const { healthy, circuit, circuit_reason: reason, circuit_until: until } = upstream;
  if (circuit === 'open')
    return (
      <StateMark is="wrong">
        Left alone after {reason === 'slowness' ? 'slow answers' : 'calls that failed'}
        {until !== undefined && (
          <>
            , until <When at={until} />
          </>
        )}
      </StateMark>
    );
  if (circuit === 'half_open') return <StateMark is="waits">The next call finds out whether it is back</StateMark>;
  return healthy ? <StateMark is="good">Answers</StateMark> : <StateMark is="wrong">Does not answer</StateMark>;
}

import { type ReactNode } from 'react';
import { usd } from './money.ts';

/** How much of a limit is used, in words and as a bar. @param limit in US dollars; null for none */
export function Meter({ spent, held = 0, limit }: { spent: number; held?: number; limit: number | null }): ReactNode {
  const used = spent + held;
  const share = limit === null || limit === 0 ? (used > 0 ? 1 : 0) : Math.min(used / limit, 1);
  return (
    <span className="meter">
      <span>
        {usd(spent)} {limit === null ? <span className="muted">spent, no limit</span> : <>of {usd(limit)}</>}
        {held > 0 && <span className="muted"> ({usd(held)} held)</span>}
      </span>
      {limit !== null && (
        <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
          <rect className="meter-all" width="100" height="4" />
          <rect className={share >= 0.9 ? 'meter-used full' : 'meter-used'} width={share * 100} height="4" />
        </svg>
      )}
    </span>
  );
}

// What the list of secrets and the page of one say alike.
import { type ReactNode } from 'react';
import { visible } from '../parts/hidden.ts';
import { StateMark } from '../parts/state-mark.tsx';
import { When } from '../parts/times.tsx';
import { type Secret } from './secrets.ts';

export function End({ of: { expires_at: end, expired } }: { of: Pick<Secret, 'expires_at' | 'expired'> }): ReactNode {
  if (end === null) return <span className="muted">never</span>;
  if (expired) return <StateMark is="wrong">expired</StateMark>;
  return <When at={end} />;
}

export function Bindings({ of }: { of: Secret['bindings'] }): ReactNode {
  if (of.length === 0) return <span className="muted">none</span>;
  return (
    <span className="scopes">
      {of.map(({ upstream, tool }) => (
        <code key={`${upstream}.${tool}`}>{visible(`${upstream}.${tool}`)}</code>
      ))}
    </span>
  );
}

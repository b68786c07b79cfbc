import { type ReactNode } from 'react';

/** How something is, in a word, with a sign that is told apart without its colour. */
export function StateMark({
  is,
  children,
}: {
  is: 'good' | 'waits' | 'wrong' | 'off';
  children: ReactNode;
}): ReactNode {
  return (
    <span className={`mark-${is}`}>
      <span aria-hidden="true">{{ good: '●', waits: '◐', wrong: '▲', off: '○' }[is]}</span> {children}
    </span>
  );
}

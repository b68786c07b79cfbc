import { Link, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { may } from './api/scopes.ts';
import { type Me } from './api/me.ts';
import { BASE } from './base.ts';
import { groupsOf } from './views.ts';

/**
 * Every view that somebody may read: beside the page where there is room, behind a button where there is none.
 *
 * @param waiting how many requests wait, in words; empty for none
 */
export function Navigation({ me, waiting }: { me: Me; waiting: string }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const address = useRouterState({ select: ({ location }) => location.href });
  // Whoever has chosen wants to see what they chose.
  useEffect(() => setOpen(false), [address]);
  return (
    <div
      className="views"
      onKeyDown={({ key }) => {
        if (key !== 'Escape' || !isOpen) return;
        setOpen(false);
        button.current?.focus();
      }}
    >
      <button
        ref={button}
        type="button"
        className="quiet views-button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <span aria-hidden="true">{isOpen ? '✕' : '☰'}</span>
        <span className="sr">Views</span>
        {waiting !== '' && !isOpen && <Waiting count={waiting} />}
      </button>
      <nav id={id} aria-label="Views" className={isOpen ? 'open' : ''}>
        {groupsOf((scope) => may(me, scope)).map(({ group, views }) => (
          <div key={views[0]?.path} {...(group !== '' && { role: 'group', 'aria-label': group })}>
            {group !== '' && <span className="group">{group}</span>}
            {views.map(({ path, label }) => (
              <Link key={path} to={path} search={{}} activeOptions={{ includeSearch: false }}>
                {label}
                {path === '/approvals' && waiting !== '' && <Waiting count={waiting} />}
              </Link>
            ))}
          </div>
        ))}
        <div>
          <a href={`${BASE}/docs`}>API reference</a>
        </div>
      </nav>
    </div>
  );
}

function Waiting({ count }: { count: string }): ReactNode {
  return (
    <span className="badge">
      {count}
      <span className="sr"> waiting</span>
    </span>
  );
}

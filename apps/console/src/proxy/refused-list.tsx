import { type ReactNode } from 'react';
import { Said } from '../parts/said.tsx';
import { type Upstream } from './upstreams.ts';

export interface RefusedThing {
  upstream: string;
  kind: string;
  name: string;
  reason: string;
}

/** What was not taken of an upstream. */
export function refusedOf(upstream: string, of: Upstream): RefusedThing[] {
  const kinds = {
    tool: of.refused_tools,
    resource: of.refused_resources,
    'resource template': of.refused_resource_templates,
    prompt: of.refused_prompts,
  };
  return Object.entries(kinds).flatMap(([kind, things]) =>
    (things ?? []).map((thing) => ({ upstream, kind, ...thing })),
  );
}

/** What is neither shown to agents nor called, and why. */
export function RefusedList({ refused, isMany = false }: { refused: RefusedThing[]; isMany?: boolean }): ReactNode {
  if (refused.length === 0) return null;
  return (
    <section>
      <h2>Refused</h2>
      <p className="muted">Agents neither see these nor call them.</p>
      <ul className="rows refused">
        {refused.map(({ upstream, kind, name, reason }) => (
          <li key={`${upstream} ${kind} ${name}`} className="refusal">
            <p>
              <strong>
                {isMany && (
                  <>
                    <Said text={upstream} />.
                  </>
                )}
                <Said text={name} />
              </strong>{' '}
              <span className="muted">{kind}</span>
            </p>
            <p>
              <Said text={reason} />
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

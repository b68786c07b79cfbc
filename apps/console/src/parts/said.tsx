import { type ReactNode } from 'react';
import { visible } from './hidden.ts';

/** What an agent, an upstream or somebody else wrote: text, whatever stands in it, which turns nothing around it. */
export function Said({ text, block = false }: { text: string; block?: boolean }): ReactNode {
  if (block) return <pre className="said">{visible(text)}</pre>;
  return <bdi className="name">{visible(text)}</bdi>;
}

import { flagsIn, textsIn } from '../parts/search.ts';

/** What `/upstreams` shown is kept in its address. */
export interface UpstreamsSearch {
  name_contains?: string;
  /** Only those that do not answer. */
  unhealthy?: true;
  /** The one that is open. */
  upstream?: string;
  add?: true;
}

export function readUpstreamsSearch(search: Record<string, unknown>): UpstreamsSearch {
  return { ...textsIn(search, ['name_contains', 'upstream']), ...flagsIn(search, ['unhealthy', 'add']) };
}

export interface ToolsSearch {
  name_contains?: string;
  upstream?: string;
  /** Only those that are held back. */
  drifted?: true;
  /** The tool that is open, as `upstream.tool`. */
  tool?: string;
}

export function readToolsSearch(search: Record<string, unknown>): ToolsSearch {
  return { ...textsIn(search, ['name_contains', 'upstream', 'tool']), ...flagsIn(search, ['drifted']) };
}

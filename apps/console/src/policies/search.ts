import { flagsIn, textsIn } from '../parts/search.ts';

/** What `/policies` shown is kept in its address. */
export interface PoliciesSearch {
  /** A policy is being proposed. */
  propose?: true;
  /** What it begins with. */
  template?: string;
}

export function readPoliciesSearch(search: Record<string, unknown>): PoliciesSearch {
  return { ...flagsIn(search, ['propose']), ...textsIn(search, ['template']) };
}

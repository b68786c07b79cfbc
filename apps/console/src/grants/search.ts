export interface GrantsSearch {
  /** Those that let nothing through any more; without it, those that do. */
  state?: 'ended';
}

/** As much of an address as is one. */
export function readGrantsSearch({ state }: Record<string, unknown>): GrantsSearch {
  return state === 'ended' ? { state } : {};
}

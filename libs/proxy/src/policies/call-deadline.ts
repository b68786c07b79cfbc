/** What a call may take beside its upstream: reading, deciding, and looking for a tool that nobody seems to have. */
const DECIDING_MS = 30_000;

/**
 * Longer than any call takes from its arrival to its entry, in ms, when upstreams may take `upstreamMs`: what its upstream
 * says of its tools may be waited for as long as that, then its place, and the call may take as long again; what it asks its client (`DIALOGUE_MS`) comes on top.
 */
export function longestCallMs(upstreamMs: number): number {
  return 3 * upstreamMs + DECIDING_MS;
}

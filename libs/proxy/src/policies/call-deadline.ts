/** What a call may take beside its upstream: reading, deciding, and looking for a tool that nobody seems to have. */
const DECIDING_MS = 30_000;

/**
 * Longer than any call takes from its arrival to its entry, in ms, when upstreams may take `upstreamMs`: a call waits for its place
 * as long as that, and may take as long again.
 */
export function longestCallMs(upstreamMs: number): number {
  return 2 * upstreamMs + DECIDING_MS;
}

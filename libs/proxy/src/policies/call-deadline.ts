/** What a call may take beside its upstream: reading, deciding, and looking for a tool that nobody seems to have. */
const DECIDING_MS = 30_000;

/** Longer than any call takes from its arrival to its entry, in ms, when its upstream may take `upstreamTimeoutMs`. */
export function longestCallMs(upstreamTimeoutMs: number): number {
  return upstreamTimeoutMs + DECIDING_MS;
}

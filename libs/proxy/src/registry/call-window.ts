import { type UnreachableReason } from '../mcp-client/index.js';
import { type CircuitReason } from '../upstreams/circuit.js';

/** What a call tells of its upstream: it works, it does not, or nothing, when the trouble was the call's or ours. */
export type CallSign = 'good' | 'bad' | 'slow' | 'none';

/** Calls that are looked at, the last ones within so long. */
const MAX_CALLS = 20;
const WINDOW_MS = 30_000;
/** Fewer tell nothing. */
const MIN_CALLS = 10;
const BAD_SHARE = 0.5;
const SLOW_SHARE = 0.8;
/** Of the time it has: whoever takes more of it is slow. */
const SLOW_PART = 0.8;

// prettier-ignore
const TELLING: readonly UnreachableReason[] = ['dns', 'connect', 'tls', 'timeout', 'reset', 'http_status', 'protocol', 'encoding'];

/** @param reason null when the upstream answered, whatever it said */
export function signOf(reason: UnreachableReason | null, tookMs: number, timeoutMs: number): CallSign {
  if (reason !== null) return TELLING.includes(reason) ? 'bad' : 'none';
  return tookMs > timeoutMs * SLOW_PART ? 'slow' : 'good';
}

/** The last calls of one upstream, and what they come to. */
export class CallWindow {
  private calls: { at: number; sign: CallSign }[] = [];

  /**
   * Counts a call; why its upstream is to be left alone, once enough of the last calls say so. Counting begins anew then.
   *
   * @param at in ms, of a clock that only goes on
   */
  add(sign: CallSign, at: number): CircuitReason | null {
    if (sign === 'none') return null;
    this.calls.push({ at, sign });
    this.calls = this.calls.filter((call) => at - call.at < WINDOW_MS).slice(-MAX_CALLS);
    if (this.calls.length < MIN_CALLS) return null;
    const bad = this.count('bad');
    const reason =
      bad >= this.calls.length * BAD_SHARE
        ? 'errors'
        : bad + this.count('slow') >= this.calls.length * SLOW_SHARE
          ? 'slowness'
          : null;
    if (reason) this.calls = [];
    return reason;
  }

  private count(sign: CallSign): number {
    return this.calls.filter((call) => call.sign === sign).length;
  }
}

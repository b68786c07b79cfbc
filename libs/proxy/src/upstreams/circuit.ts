/** Why an upstream is left alone. */
export type CircuitReason = 'errors' | 'slowness';

export type CircuitStatus = 'closed' | 'open' | 'half_open';

/** Of an upstream, as all processes know it. */
export interface Circuit {
  /** Null while it is closed. */
  circuitUntil: Date | null;
  circuitReason: CircuitReason | null;
  /** In a row. */
  circuitOpenings: number;
}

export const CLOSED: Circuit = { circuitUntil: null, circuitReason: null, circuitOpenings: 0 };

const FIRST_PAUSE_MS = 5_000;
const LAST_PAUSE_MS = 60_000;

/** Half open: one call at a time is let through, to find out. */
export function circuitStatus({ circuitUntil }: Pick<Circuit, 'circuitUntil'>, now: Date): CircuitStatus {
  if (circuitUntil === null) return 'closed';
  return now < circuitUntil ? 'open' : 'half_open';
}

/** How long an upstream is left alone that was so `openings` times in a row before. */
export function circuitPauseMs(openings: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(openings, 10), LAST_PAUSE_MS);
}

export function circuitOf({ circuitUntil, circuitReason, circuitOpenings }: Circuit): Circuit {
  return { circuitUntil, circuitReason, circuitOpenings };
}

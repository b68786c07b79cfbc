// What a measurement is, and what it is held against.

/** One measurement */
export interface Sample {
  /** Per second */
  rate: number;
  /** How many answers that is */
  count: number;
  /** Milliseconds */
  p50?: number;
  /** Milliseconds */
  p99?: number;
  /** Microseconds of processor time for each, by process; null where the system does not tell */
  cpu: Record<string, number | null>;
  /** What was not answered as it should be; empty when all was */
  failures: string[];
}

/** What a row is held against: something that does the least that has to be done. */
export interface Limit {
  name: string;
  measure: () => Promise<Sample>;
}

/** What must be true for a row's figures to count. */
export interface Gate {
  claim: string;
  /** Null: not checked */
  holds: boolean | null;
  /** What was found */
  detail?: string;
}

// What a connector and Haldir say to each other: docs/adr/0032-connectors.md.

/** For how long an instance is known to be there, and what it is to keep to. */
export interface Lease {
  leaseSeconds: number;
  heartbeatSeconds: number;
  /** How long a claim waits for something to do. */
  waitSeconds: number;
  /** What the text of one part may take, as it is written in JSON. */
  maxPartBytes: number;
}

/** One HTTP request that somebody asks of the server behind the connector. */
export interface ClaimedExchange {
  id: string;
  /** From when it was claimed. */
  deadlineMs: number;
  method: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string | null;
}

export interface Claim {
  exchanges: ClaimedExchange[];
  /** Those that nobody waits for any more. */
  cancelled: string[];
}

/** How an exchange ends that has no answer. */
export type Failure = 'reset' | 'timeout';

/** A piece of an answer; the first has status and headers. */
export interface AnswerPart {
  id: string;
  /** From 0. */
  seq: number;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  data: string;
  last: boolean;
  failed?: Failure;
}

/** What one request may carry in parts; the rest of its MiB is what stands around them. */
export const MAX_BATCH_BYTES = 1_000_000;
export const MAX_BATCH_PARTS = 256;

import { type Circuit } from './circuit.js';
import { type KeptHeaders } from './upstream-credentials.js';
import { type OwnLimits } from './upstream-limits.js';

/** Where an upstream is, and what it may take; a new registration under its name is another revision. */
export interface UpstreamAddress extends OwnLimits {
  tenantId: string;
  name: string;
  url: string;
  revision: string;
  /** Sent with every request. */
  headers: KeptHeaders;
  /** Up to where it is known what the upstream was told; left out by who does not know. */
  told?: ToldState;
}

/** An upstream that is called, and how it fares as far as that is known. */
export interface CalledUpstream extends UpstreamAddress, Pick<Circuit, 'circuitUntil' | 'circuitOpenings'> {
  /** As last seen; a call tries it whatever this says. */
  healthy: boolean;
}

/** Version null while nobody has looked what is bound to the upstream; `at` is when that was asked, by `performance.now()`. */
export interface ToldState {
  version: number | null;
  at: number;
}

/** What makes an address, of what is kept of an upstream. */
export const ADDRESS = [
  ...(['tenantId', 'name', 'url', 'revision', 'headers'] as const),
  ...(['timeoutSeconds', 'maxAnswerBytes', 'concurrency'] as const),
] as const;

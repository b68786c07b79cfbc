import { type KeptHeaders } from './upstream-credentials.js';

/** Where an upstream is; a new registration under its name is another revision. */
export interface UpstreamAddress {
  tenantId: string;
  name: string;
  url: string;
  revision: string;
  /** Sent with every request. */
  headers: KeptHeaders;
  /** Up to where it is known what the upstream was told; left out by who does not know. */
  told?: ToldState;
}

/** Version null while nobody has looked what is bound to the upstream; `at` is when that was asked, by `performance.now()`. */
export interface ToldState {
  version: number | null;
  at: number;
}

import { type KeptHeaders } from './secrets/upstream-headers.js';

/** Where an upstream is; a new registration under its name is another revision. */
export interface UpstreamAddress {
  tenantId: string;
  name: string;
  url: string;
  revision: string;
  /** Sent with every request. */
  headers: KeptHeaders;
}

import { type WantedGrant } from './grant-terms.js';

/** What whoever decides makes of a request. */
export interface NewDecision {
  status: 'approved' | 'denied';
  /** As whoever decides gives their name. */
  by: string;
  note: string;
  /** What is allowed beside the call that waits; with an approval alone. */
  grant?: WantedGrant | undefined;
}

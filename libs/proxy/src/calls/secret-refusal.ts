import { type OutcomeDetails } from './call-details.js';

/** Why a call is not made with the secrets that its arguments refer to: in words for the agent, and what only the log says. */
export interface SecretRefusal {
  code: 'malformed_reference' | 'secret_not_usable';
  message: string;
  /** For the log. */
  facts: Partial<OutcomeDetails>;
}

import { type Notified } from './approval-tellings.js';
import { type RequestFacts } from './approval-request.repository.js';

/** An approval that lets one exact call through, once; its row is locked until the transaction ends. */
export type ApprovedRequest = RequestFacts;

/** The request that a held call waits for. */
export interface HeldRequest {
  requestId: string;
  reason: string;
  expiresAt: Date;
  /** Whether it was made for this call, and nobody has been asked before. */
  isNew: boolean;
  /** As far as it is known when this is answered: of a new one nothing is. */
  notified: Notified;
}

/** What a held call's answer adds, for the agent to read. */
export function wordsOfNotified(notified: Notified): string {
  return notified === 'nobody' ? '. Nobody has been told of the request: tell a human yourself' : '';
}

/** What there is about an exact call that needs approval. */
export type ApprovalAnswer =
  | { kind: 'approved'; request: ApprovedRequest }
  | { kind: 'held'; request: HeldRequest }
  | { kind: 'denied'; requestId: string };
